package kafkalog

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
)

// Estate is how Kafka is set up, for whoever judges that.
type Estate struct {
	Brokers []BrokerEstate // by id
	Topics  []TopicEstate
}

// BrokerEstate is one server as the others name it.
type BrokerEstate struct {
	ID      int32
	Address string // that it advertises
	Version string
	Err     error // why it cannot be reached there
}

// TopicEstate is one topic, and how it would be made.
type TopicEstate struct {
	Name       string
	Exists     bool
	Err        error // why nothing is known of it though it exists
	Partitions int
	// Replication and InSync are those of the partition that has the fewest.
	Replication, InSync int
	Offline             []int32 // partitions without a leader
	Configs             map[string]string
	Denied              []string // what the user may not do with it

	Single           bool              // it must have one partition
	Wanted           map[string]string // settings with which it would be made
	WantedPartitions int
	// WantedReplication is 0 where the servers decide.
	WantedReplication int
	RetentionSetting  string // of Parkwire; empty where there is none
}

// Examine asks Kafka how it is set up, and changes nothing. The error is why it does not answer at all.
func (l *Log) Examine(ctx context.Context) (Estate, error) {
	o := l.options
	request := kmsg.NewPtrMetadataRequest()
	request.IncludeTopicAuthorizedOperations = true
	names := o.topics()
	for _, name := range names {
		t := kmsg.NewMetadataRequestTopic()
		t.Topic = &name
		request.Topics = append(request.Topics, t)
	}
	answer, err := request.RequestWith(ctx, l.client)
	if err != nil {
		return Estate{}, l.reason(err)
	}
	e := Estate{Brokers: l.examineBrokers(ctx, answer.Brokers)}
	wanted, singles := o.wanted(), map[string]bool{o.AccessTopic: true}
	retention := map[string]string{o.Topic: "kafka-retention", o.RejectedTopic: "kafka-retention", o.AuditTopic: "kafka-audit-retention"}
	var existing []string
	for _, name := range names {
		t := TopicEstate{Name: name, Wanted: map[string]string{}, Single: singles[name], WantedPartitions: wanted[name].partitions,
			WantedReplication: o.Replication, RetentionSetting: retention[name], Configs: map[string]string{}}
		for key, value := range wanted[name].config {
			t.Wanted[key] = *value
		}
		if i := slices.IndexFunc(answer.Topics, func(r kmsg.MetadataResponseTopic) bool { return r.Topic != nil && *r.Topic == name }); i >= 0 {
			t.read(answer.Topics[i])
		}
		if t.Exists && t.Err == nil {
			existing = append(existing, name)
		}
		e.Topics = append(e.Topics, t)
	}
	if len(existing) == 0 {
		return e, nil
	}
	configs, err := l.admin.DescribeTopicConfigs(ctx, existing...)
	for i := range e.Topics {
		t := &e.Topics[i]
		if !t.Exists || t.Err != nil {
			continue
		}
		if err != nil {
			t.Err = fmt.Errorf("its settings cannot be read: %w", err)
			continue
		}
		of, err := configs.On(t.Name, nil)
		if err = errors.Join(err, of.Err); err != nil && !errors.Is(err, kerr.TopicAuthorizationFailed) {
			t.Err = fmt.Errorf("its settings cannot be read: %w", err)
		}
		for _, c := range of.Configs {
			t.Configs[c.Key] = c.MaybeValue()
		}
	}
	return e, nil
}

// reason prefers what the connections heard to that the client gave up.
func (l *Log) reason(err error) error {
	l.health.mu.Lock()
	defer l.health.mu.Unlock()
	if l.health.err != nil {
		return l.health.err
	}
	return err
}

func (t *TopicEstate) read(r kmsg.MetadataResponseTopic) {
	err := kerr.ErrorForCode(r.ErrorCode)
	if errors.Is(err, kerr.UnknownTopicOrPartition) {
		return
	}
	t.Exists, t.Err, t.Partitions = true, err, len(r.Partitions)
	for i, p := range r.Partitions {
		if p.Leader < 0 {
			t.Offline = append(t.Offline, p.Partition)
		}
		if i == 0 {
			t.Replication, t.InSync = len(p.Replicas), len(p.ISR)
		}
		t.Replication, t.InSync = min(t.Replication, len(p.Replicas)), min(t.InSync, len(p.ISR))
	}
	slices.Sort(t.Offline)
	t.Denied = denied(r.AuthorizedOperations)
}

// denied names what is not among the operations, of which each is a bit. Servers that do not say have none, or the smallest number.
func denied(operations int32) (names []string) {
	if operations <= 0 {
		return nil
	}
	for _, needed := range []kadm.ACLOperation{kadm.OpRead, kadm.OpWrite, kadm.OpDescribe} {
		if operations&(1<<needed) == 0 {
			names = append(names, needed.String())
		}
	}
	return names
}

func (l *Log) examineBrokers(ctx context.Context, known []kmsg.MetadataResponseBroker) []BrokerEstate {
	brokers := make([]BrokerEstate, len(known))
	var asking sync.WaitGroup
	for i, b := range known {
		brokers[i] = BrokerEstate{ID: b.NodeID, Address: fmt.Sprintf("%s:%d", b.Host, b.Port)}
		asking.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, dialTimeout+requestTimeout)
			defer cancel()
			answer, err := l.client.Broker(int(b.NodeID)).Request(ctx, kmsg.NewPtrApiVersionsRequest())
			if err != nil {
				brokers[i].Err = err
				return
			}
			brokers[i].Version = "version not known"
			if guess := kversion.FromApiVersionsResponse(answer.(*kmsg.ApiVersionsResponse)).VersionGuess(); strings.HasPrefix(guess, "v") || strings.HasPrefix(guess, "at least v") {
				brokers[i].Version = "Kafka " + guess
			}
		})
	}
	asking.Wait()
	slices.SortFunc(brokers, func(a, b BrokerEstate) int { return int(a.ID) - int(b.ID) })
	return brokers
}
