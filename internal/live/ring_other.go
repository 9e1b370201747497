//go:build !linux

package live

import "errors"

// newBatchSender reports that there is none.
func newBatchSender() (batchSender, error) { return nil, errors.ErrUnsupported }
