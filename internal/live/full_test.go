package live

import "testing"

func TestItIsKnownHowMuchWaitsForThoseWhoDoNotRead(t *testing.T) {
	onEachEngine(t, func(t *testing.T) {
		s := start(t, func(o *Options) { o.ClientBytes = 64 << 20 })
		fast, slow := s.webSocket(), s.raw()
		const n = 1500 // 12 MB, more than the kernel buffers
		for i := 0; i < n; i += 10 {
			s.bigEvents(10)
			fast.count(i + 10)
		}
		s.eventually("it to be counted", func() bool { return s.service.waitingBytes() > 1<<20 })
		slow.Close()
		s.eventually("it to be forgotten", func() bool { return s.service.waitingBytes() == 0 })
	})
}
