package kafkalog_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if os.Getenv(childDir) != "" {
		serveUntilKilled()
	}
	goleak.VerifyTestMain(m)
}
