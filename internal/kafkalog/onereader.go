package kafkalog

import (
	"slices"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// oneReader balances a group so that one member has everything, for as long as it lives, and the others stand by. It speaks the
// "consumer" protocol, so that Kafka's tools can show who has what.
type oneReader struct{}

func (oneReader) ProtocolName() string { return "parkwire-one-reader" }

// IsCooperative: that others come and go does not concern the one who reads.
func (oneReader) IsCooperative() bool { return true }

func (oneReader) JoinGroupMetadata(topics []string, has map[string][]int32, generation int32) []byte {
	m := kmsg.NewConsumerMemberMetadata()
	m.Version = 2
	m.Topics, m.Generation = topics, generation
	for _, topic := range topics {
		if len(has[topic]) > 0 {
			owned := kmsg.NewConsumerMemberMetadataOwnedPartition()
			owned.Topic, owned.Partitions = topic, has[topic]
			m.OwnedPartitions = append(m.OwnedPartitions, owned)
		}
	}
	return m.AppendTo(nil)
}

func (oneReader) ParseSyncAssignment(assignment []byte) (map[string][]int32, error) {
	return kgo.ParseConsumerSyncAssignment(assignment)
}

func (o oneReader) MemberBalancer(members []kmsg.JoinGroupResponseMember) (kgo.GroupMemberBalancer, map[string]struct{}, error) {
	b, err := kgo.NewConsumerBalancer(o, members)
	return b, b.MemberTopics(), err
}

// Balance gives everything to the member that has most of it, by the newest of the claims: one that was away for a while still claims what
// has gone to another one. Where nobody has anything it is the first in the order of their names.
func (oneReader) Balance(b *kgo.ConsumerBalancer, topics map[string]int32) kgo.IntoSyncAssignment {
	plan := b.NewPlan()
	var reader *kmsg.JoinGroupResponseMember
	var best claim
	b.EachMember(func(member *kmsg.JoinGroupResponseMember, m *kmsg.ConsumerMemberMetadata) {
		c := claim{generation: -1}
		for _, owned := range m.OwnedPartitions {
			c.partitions += len(owned.Partitions)
		}
		if c.partitions > 0 {
			c.generation = m.Generation
		}
		if reader == nil || c.beats(best) {
			reader, best = member, c
		}
	})
	if reader == nil {
		return plan
	}
	for topic, n := range topics {
		partitions := make([]int32, n)
		for p := range partitions {
			partitions[p] = int32(p)
		}
		plan.AddPartitions(reader, topic, slices.Clip(partitions))
	}
	plan.AdjustCooperative(b) // what another one still claims it gives up first
	return plan
}

// claim is what a member says that it has.
type claim struct {
	generation int32 // of the group when it got that; -1: it has nothing
	partitions int
}

func (c claim) beats(other claim) bool {
	if c.generation != other.generation {
		return c.generation > other.generation
	}
	return c.partitions > other.partitions
}
