package doctor

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"parkwire/internal/kafkalog"
)

// Kafka judges the servers and topics of the event log.
func Kafka(f *Findings, e kafkalog.Estate, err error) {
	if err != nil {
		f.Break("see that the servers run and can be reached from here, by these addresses and this protocol (kafka-brokers, and the settings for TLS and SASL)", "Kafka does not answer: %v", err)
		return
	}
	var versions []string
	away := 0
	for _, b := range e.Brokers {
		if b.Err != nil {
			away++
			f.Break(fmt.Sprintf("advertised.listeners of broker %d must be an address that this machine can reach; kafka-brokers only says where to begin", b.ID),
				"broker %d calls itself %s, where it cannot be reached: %v", b.ID, b.Address, b.Err)
			continue
		}
		versions = append(versions, b.Version)
	}
	slices.Sort(versions)
	versions = slices.Compact(versions)
	if n := len(e.Brokers) - away; n > 0 {
		f.OK("%d of %d servers answer (%s)", n, len(e.Brokers), strings.Join(versions, ", "))
	}
	if len(versions) > 1 {
		f.Note("the servers are of several versions: %s", strings.Join(versions, ", "))
	}
	missing := 0
	for _, t := range e.Topics {
		if !t.Exists {
			missing++
		}
		kafkaTopic(f, e, t)
	}
	switch {
	case missing == len(e.Topics):
		f.Note("none of the %d topics is there yet; they are made at the first start", missing)
	case missing > 0:
		f.Note("%d of the %d topics are not there yet; they are made at the next start", missing, len(e.Topics))
	}
}

func kafkaTopic(f *Findings, e kafkalog.Estate, t kafkalog.TopicEstate) {
	if !t.Exists {
		return
	}
	name := t.Name
	if t.Err != nil {
		f.Break("give the user Describe, Read and Write on it, or see to the servers", "topic %s: %v", name, t.Err)
		return
	}
	alter := func(pair string) string {
		return fmt.Sprintf("kafka-configs.sh --bootstrap-server … --alter --entity-type topics --entity-name %s --add-config %s", name, pair)
	}
	before := len(f.all)
	if len(t.Offline) > 0 {
		f.Break("start the servers that have a replica of them", "topic %s: partitions %v have no leader, and can be neither read nor written", name, t.Offline)
	}
	minimum, _ := strconv.Atoi(t.Configs["min.insync.replicas"])
	if t.InSync < minimum && len(t.Offline) == 0 {
		f.Break("start the servers that are away", "topic %s: a partition has %d replicas in sync, and takes records only with min.insync.replicas=%d", name, t.InSync, minimum)
	} else if t.InSync < t.Replication && len(t.Offline) == 0 {
		f.Warn("see to the servers that are away or behind", "topic %s: a partition has %d of its %d replicas in sync", name, t.InSync, t.Replication)
	}
	switch policy, compact := t.Configs["cleanup.policy"], t.Wanted["cleanup.policy"] == "compact"; {
	case policy == "":
	case compact && !strings.Contains(policy, "compact"):
		f.Break(alter("cleanup.policy=compact"), "topic %s has cleanup.policy=%s and must be compacted: what has not changed for as long as its retention is forgotten", name, policy)
	case compact && strings.Contains(policy, "delete"):
		f.Break(alter("cleanup.policy=compact"), "topic %s has cleanup.policy=%s: besides being compacted it forgets what is old and still holds", name, policy)
	case !compact && strings.Contains(policy, "compact"):
		f.Break(alter("cleanup.policy=delete"), "topic %s has cleanup.policy=%s: of each key only the newest record stays, and who comes back with a cursor finds holes", name, policy)
	case !compact:
		kept, _ := strconv.ParseInt(t.Configs["retention.ms"], 10, 64)
		wanted, _ := strconv.ParseInt(t.Wanted["retention.ms"], 10, 64)
		if kept >= 0 && wanted > 0 && kept < wanted {
			f.Warn(alter(fmt.Sprintf("retention.ms=%d", wanted)), "topic %s is kept for %v, and %v is configured (%s)", name,
				time.Duration(kept)*time.Millisecond, time.Duration(wanted)*time.Millisecond, t.RetentionSetting)
		}
		if size, _ := strconv.ParseInt(t.Configs["retention.bytes"], 10, 64); size > 0 {
			f.Note("topic %s is also bounded by retention.bytes=%d a partition: it may reach back less far than its time", name, size)
		}
	}
	if size, err := strconv.Atoi(t.Configs["max.message.bytes"]); err == nil && size < 64<<10 {
		f.Warn(alter("max.message.bytes=1048588"), "topic %s takes records of up to %d bytes; what is larger is given up", name, size)
	}
	switch {
	case t.Single && t.Partitions != 1:
		f.Break("stop the platform, delete the topic and start it: the topic is made and filled again (operating.md, the loss of a topic)", "topic %s has %d partitions and must have one: who reads it needs one order of everything", name, t.Partitions)
	case !t.Single && t.WantedPartitions > 0 && t.Partitions != t.WantedPartitions:
		f.Warn(fmt.Sprintf("set kafka-partitions to %d; never add partitions to a topic of events: the order of a spot's events would be lost", t.Partitions),
			"topic %s has %d partitions, and kafka-partitions says %d, which holds for new topics alone", name, t.Partitions, t.WantedPartitions)
	}
	switch servers := len(e.Brokers); {
	case t.WantedReplication > 0 && t.Replication < t.WantedReplication:
		f.Warn("kafka-reassign-partitions.sh gives it more", "topic %s has %d replicas, and kafka-replication says %d", name, t.Replication, t.WantedReplication)
	case servers > 1 && t.Replication == 1:
		f.Warn("kafka-reassign-partitions.sh gives it 3, and kafka-replication=3 does for new topics", "topic %s has one replica on one of %d servers: with its disk all of it is lost", name, servers)
	case t.Replication > 2 && minimum == 1:
		f.Warn(alter("min.insync.replicas=2"), "topic %s has %d replicas and min.insync.replicas=1: a record may be acknowledged that one disk alone has", name, t.Replication)
	case t.Replication > 1 && minimum == t.Replication:
		f.Warn(alter(fmt.Sprintf("min.insync.replicas=%d", minimum-1)), "topic %s has %d replicas and min.insync.replicas=%d: while one server restarts nothing is taken", name, t.Replication, minimum)
	}
	if len(t.Denied) > 0 {
		f.Break("add ACLs for the user, as in kafka-acls.sh --add --allow-principal User:NAME --operation … --topic "+name, "topic %s: the user may not %s", name, strings.Join(t.Denied, ", "))
	}
	if len(f.all) == before {
		f.OK("topic %s: %d partitions, %d replicas, %s", name, t.Partitions, t.Replication, t.Configs["cleanup.policy"])
	}
}
