//go:build !linux

package load

import "context"

// Run is for Linux.
func Run(context.Context, Options) (Report, error) { return Report{}, ErrUnsupported }

// Child is for Linux.
func Child() error { return ErrUnsupported }
