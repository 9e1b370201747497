package live

import (
	"net"
	"slices"
	"sync"

	"parkwire/internal/websocket"
)

// toldPoller has no news of connections but what the test tells: of all of them at once, so that most of it is without reason.
type toldPoller struct {
	there chan struct{} // holds one signal: there are news
	over  chan struct{}
	close func()

	onAdd func(websocket.Raw)

	mu    sync.Mutex
	added []websocket.Raw
	news  websocket.Ready
}

func newToldPoller() *toldPoller {
	p := &toldPoller{there: make(chan struct{}, 1), over: make(chan struct{}), onAdd: func(websocket.Raw) {}}
	p.close = sync.OnceFunc(func() { close(p.over) })
	return p
}

func (p *toldPoller) tell(what websocket.Ready) {
	p.mu.Lock()
	p.news |= what
	p.mu.Unlock()
	select {
	case p.there <- struct{}{}:
	default:
	}
}

func (p *toldPoller) Add(raw websocket.Raw) error {
	p.mu.Lock()
	if !slices.Contains(p.added, raw) {
		p.added = append(p.added, raw)
	}
	p.mu.Unlock()
	p.onAdd(raw)
	p.tell(websocket.Readable | websocket.Writable)
	return nil
}

func (p *toldPoller) Poll(tell func(websocket.Raw, websocket.Ready)) error {
	p.mu.Lock()
	added, news := p.added[:len(p.added):len(p.added)], p.news
	p.news = 0
	p.mu.Unlock()
	for _, raw := range added {
		if news != 0 {
			tell(raw, news)
		}
	}
	return nil
}

func (p *toldPoller) Wait() error {
	select {
	case <-p.there:
		return nil
	case <-p.over:
		return net.ErrClosed
	}
}

func (p *toldPoller) Close() error {
	p.close()
	return nil
}
