package alerts

import (
	"testing"

	"parkwire/internal/alerts/decide"
)

// A push service keeps the newest of each topic for a phone that is away: it must not drop one spot for another.
func TestATopicIsWhatADecisionIsAbout(t *testing.T) {
	of := func(kind decide.Kind, spot string) string {
		return topic(decide.Decision{Rule: decide.Rule{ID: "r", Definition: decide.Definition{Condition: decide.Condition{Kind: kind}}}, SpotID: spot})
	}
	for _, kind := range decide.Kinds {
		if same := of(kind, "a") == of(kind, "b"); same == kind.Single() {
			t.Errorf("%s of two spots has one topic: %v", kind, same)
		}
	}
}
