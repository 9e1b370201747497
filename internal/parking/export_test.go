package parking

import "context"

// Prune does what [Service.Run] does from time to time.
func (s *Service) Prune(ctx context.Context) error { return s.prune(ctx) }
