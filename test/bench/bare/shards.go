package main

import (
	"runtime"
	"sync"
)

// shards are the clients of a library that writes in the caller: a share for each core, walked by a goroutine of its own,
// so that such a library uses all cores too.
type shards[C comparable] struct {
	send func(client C, message any)
	all  []*shard[C]
	next int

	mu sync.Mutex
	of map[C]*shard[C]
}

type shard[C comparable] struct {
	messages chan any

	mu      sync.Mutex
	clients []C
	at      map[C]int
}

func newShards[C comparable](send func(C, any)) *shards[C] {
	s := &shards[C]{send: send, of: map[C]*shard[C]{}}
	for range runtime.GOMAXPROCS(0) {
		one := &shard[C]{messages: make(chan any, 1024), at: map[C]int{}}
		s.all = append(s.all, one)
		go func() {
			var now []C
			for m := range one.messages {
				one.mu.Lock()
				now = append(now[:0], one.clients...)
				one.mu.Unlock()
				for _, c := range now {
					s.send(c, m)
				}
			}
		}()
	}
	return s
}

func (s *shards[C]) add(c C) {
	s.mu.Lock()
	one := s.all[s.next%len(s.all)]
	s.next++
	s.of[c] = one
	s.mu.Unlock()
	one.mu.Lock()
	defer one.mu.Unlock()
	one.at[c] = len(one.clients)
	one.clients = append(one.clients, c)
}

func (s *shards[C]) remove(c C) {
	s.mu.Lock()
	one := s.of[c]
	delete(s.of, c)
	s.mu.Unlock()
	if one == nil {
		return
	}
	one.mu.Lock()
	defer one.mu.Unlock()
	at, last := one.at[c], len(one.clients)-1
	one.clients[at] = one.clients[last]
	one.at[one.clients[at]] = at
	one.clients = one.clients[:last]
	delete(one.at, c)
}

func (s *shards[C]) broadcast(message any) {
	for _, one := range s.all {
		one.messages <- message
	}
}
