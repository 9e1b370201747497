package kafkalog

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// joining is a member that says what it has, and since which generation.
type joining struct {
	id         string
	has        []int32
	generation int32
}

// balanced returns who gets what.
func balanced(t *testing.T, partitions int32, members ...joining) map[string][]int32 {
	t.Helper()
	var join []kmsg.JoinGroupResponseMember
	for _, m := range members {
		one := kmsg.NewJoinGroupResponseMember()
		one.MemberID = m.id
		has := map[string][]int32{}
		if m.has != nil {
			has["events"] = m.has
		}
		one.ProtocolMetadata = oneReader{}.JoinGroupMetadata([]string{"events"}, has, m.generation)
		join = append(join, one)
	}
	b, topics, err := oneReader{}.MemberBalancer(join)
	if err != nil {
		t.Fatal(err)
	}
	if got := slices.Collect(maps.Keys(topics)); !slices.Equal(got, []string{"events"}) {
		t.Fatalf("the topics are %v", got)
	}
	plan, err := b.(kgo.GroupMemberBalancerOrError).BalanceOrError(map[string]int32{"events": partitions})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]int32{}
	for _, one := range plan.IntoSyncAssignment() {
		assigned, err := oneReader{}.ParseSyncAssignment(one.MemberAssignment)
		if err != nil {
			t.Fatal(err)
		}
		if list := slices.Sorted(slices.Values(assigned["events"])); len(list) > 0 {
			got[one.MemberID] = list
		}
	}
	return got
}

func TestOneMemberReadsEverythingAndKeepsIt(t *testing.T) {
	all := []int32{0, 1, 2}
	for name, test := range map[string]struct {
		partitions int32
		members    []joining
		want       map[string][]int32
	}{
		"the first who comes":                     {3, []joining{{"a", nil, -1}}, map[string][]int32{"a": all}},
		"one of several who come at once":         {3, []joining{{"a", nil, -1}, {"b", nil, -1}}, map[string][]int32{"a": all}},
		"who reads, whatever the others' names":   {3, []joining{{"a", nil, 4}, {"b", all, 4}, {"c", nil, -1}}, map[string][]int32{"b": all}},
		"new partitions, who reads":               {4, []joining{{"a", nil, 4}, {"b", all, 4}}, map[string][]int32{"b": {0, 1, 2, 3}}},
		"another one when the reader has gone":    {3, []joining{{"b", nil, 4}, {"c", nil, 4}}, map[string][]int32{"b": all}},
		"who got it last, not who was away":       {3, []joining{{"a", all, 3}, {"b", all, 5}}, map[string][]int32{"b": all}},
		"nothing, while another one has it still": {3, []joining{{"a", []int32{0}, 5}, {"b", []int32{1, 2}, 5}}, map[string][]int32{"b": {1, 2}}},
		"nobody, of a topic without partitions":   {0, []joining{{"a", nil, 1}}, map[string][]int32{}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := balanced(t, test.partitions, test.members...); fmt.Sprint(got) != fmt.Sprint(test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}
