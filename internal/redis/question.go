package redis

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/redis/rueidis"
)

// ofSentinels asks for the master that sentinels know under a name.
func ofSentinels(name string) question {
	return question{"sentinel", func(ctx context.Context, client rueidis.Client, _ string) (string, error) {
		said, err := client.Do(ctx, client.B().SentinelGetMasterAddrByName().Master(name).Build()).AsStrSlice()
		switch {
		case rueidis.IsRedisNil(err):
			return "", fmt.Errorf("it watches no master named %q", name)
		case err != nil:
			return "", err
		case len(said) != 2:
			return "", fmt.Errorf("it answers %q", said)
		}
		return net.JoinHostPort(said[0], said[1]), nil
	}}
}

// ofCluster asks for the node of a cluster that leads the slot of a key. A node that was cut off from most of the others knows that, and is
// not believed.
func ofCluster(key string) question {
	return question{"node", func(ctx context.Context, client rueidis.Client, address string) (string, error) {
		answers := client.DoMulti(ctx, client.B().ClusterInfo().Build(), client.B().ClusterKeyslot().Key(key).Build(), client.B().ClusterSlots().Build())
		info, err := answers[0].ToString()
		if err != nil {
			return "", err
		}
		if !strings.Contains(info, "cluster_state:ok") {
			return "", errors.New("to its knowledge the cluster is not whole (cluster_state is not ok)")
		}
		slot, err := answers[1].AsInt64()
		if err != nil {
			return "", err
		}
		ranges, err := answers[2].ToArray()
		if err != nil {
			return "", err
		}
		return leaderOf(slot, ranges, address)
	}}
}

// leaderOf finds the first node of the slot's range in the answer to CLUSTER SLOTS, which asked gave.
func leaderOf(slot int64, ranges []rueidis.RedisMessage, asked string) (string, error) {
	for i := range ranges {
		part, err := ranges[i].ToArray()
		if err != nil || len(part) < 3 {
			continue
		}
		first, errFirst := part[0].AsInt64()
		last, errLast := part[1].AsInt64()
		node, errNode := part[2].ToArray()
		if errors.Join(errFirst, errLast, errNode) != nil || slot < first || slot > last || len(node) < 2 {
			continue
		}
		port, err := node[1].AsInt64()
		if err != nil {
			return "", err
		}
		host, _ := node[0].ToString() // null: the one that was asked
		switch host {
		case "":
			if host, _, err = net.SplitHostPort(asked); err != nil {
				return "", err
			}
		case "?":
			return "", errors.New("it does not know the name of the slot's leader (cluster-announce-hostname)")
		}
		return net.JoinHostPort(host, strconv.FormatInt(port, 10)), nil
	}
	return "", fmt.Errorf("nobody leads slot %d", slot)
}

// Together returns a beginning for keys and channels that all lead to the same slot of a cluster, which is that of key itself.
func Together(key string) string {
	if _, behind, ok := strings.Cut(key, "{"); ok {
		if end := strings.IndexByte(behind, '}'); end > 0 {
			return key
		}
	}
	return "{" + key + "}"
}
