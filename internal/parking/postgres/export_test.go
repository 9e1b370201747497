package postgres

// MaxConns is how many connections the pool of a store has at most.
func MaxConns(s *Store) int32 { return s.pool.Config().MaxConns }
