package stack

import "testing"

func startNGINX(t testing.TB, s *Stack) string { return s.Gateways[0].URL }
