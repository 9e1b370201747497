package load

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A pool is the child processes that hold the clients.
type pool struct {
	board    *board
	file     *os.File
	children []*child
	wg       sync.WaitGroup

	mu      sync.Mutex
	endings map[string]int
	results []result // of the children that have answered to what was asked last
	failed  error
	changed chan struct{} // has a value when results or failed have changed
	ending  bool          // nothing but the end of the children is expected
}

type child struct {
	command *exec.Cmd
	in      io.WriteCloser
	orders  *json.Encoder
	stderr  strings.Builder
}

// processes is how many are needed.
func processes(o Options) (int, error) {
	const spare = 64 // files for other things than clients
	var files unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &files); err != nil {
		return 0, fmt.Errorf("asking how many files may be opened: %w", err)
	}
	most := int(min(max(files.Max, spare+1)-spare, 1<<30))
	n := o.Processes
	if n == 0 {
		n = (o.Clients + min(most, perProcess) - 1) / min(most, perProcess)
	}
	if each := (o.Clients + n - 1) / n; each > most {
		return 0, OptionError(fmt.Sprintf("--processes: %d are too few for %d clients, since each may open %d files", n, o.Clients, files.Max))
	}
	return n, nil
}

// startPool starts the children.
func startPool(o Options, targets []target) (*pool, error) {
	n, err := processes(o)
	if err != nil {
		return nil, err
	}
	t := task{
		Children: n, Targets: targets, Protocol: o.Protocol, Token: o.Token, Run: o.Run, Lots: o.Lots, Listening: o.listening(), Sched: o.Sched,
	}
	b, file, err := newBoard(n, t.lots())
	if err != nil {
		return nil, err
	}
	p := &pool{board: b, file: file, endings: map[string]int{}, changed: make(chan struct{}, 1)}
	for i := range n {
		t.Child = i
		t.First = o.Clients * i / n
		t.Count = o.Clients*(i+1)/n - t.First
		t.Ramp = o.Ramp * float64(t.Count) / float64(o.Clients)
		if err := p.start(o.Command, t); err != nil {
			p.stop()
			return nil, err
		}
	}
	return p, nil
}

func (p *pool) start(command []string, t task) error {
	c := &child{command: exec.Command(command[0], command[1:]...)}
	c.command.ExtraFiles = []*os.File{p.file} // becomes boardFile
	c.command.Stderr = &c.stderr
	// Ctrl-C at the terminal is for the parent, which then asks for the results.
	c.command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var err error
	if c.in, err = c.command.StdinPipe(); err != nil {
		return err
	}
	out, err := c.command.StdoutPipe()
	if err != nil {
		return err
	}
	if err := c.command.Start(); err != nil {
		return fmt.Errorf("starting a process for the clients: %w", err)
	}
	p.children = append(p.children, c)
	p.wg.Go(func() { p.listen(c, out) })
	c.orders = json.NewEncoder(c.in)
	return c.orders.Encode(t)
}

// listen takes what a child says until it ends.
func (p *pool) listen(c *child, out io.Reader) {
	decoder := json.NewDecoder(out)
	for {
		var m message
		err := decoder.Decode(&m)
		if err != nil {
			break
		}
		p.mu.Lock()
		switch {
		case m.Ending != "":
			p.endings[m.Ending]++
			if p.failed == nil && hopeless(m.Ending) && sum(p.board, func(c *counts) int64 { return c.ever.Load() }) == 0 {
				p.failed = fmt.Errorf("the server takes no client: %s", m.Ending)
			}
		case m.Result != nil:
			p.results = append(p.results, *m.Result)
			p.tell()
		case m.Failed != "":
			p.failed = errors.New(m.Failed)
			p.tell()
		}
		p.mu.Unlock()
	}
	err := c.command.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.ending && p.failed == nil {
		p.failed = fmt.Errorf("a process with clients has ended: %w %.500s", err, c.stderr.String())
		p.tell()
	}
}

// hopeless reports whether trying again will not help.
func hopeless(ending string) bool {
	switch ending {
	case "refused: HTTP 400", "refused: HTTP 401", "refused: HTTP 403", "refused: HTTP 404", "refused: HTTP 426":
		return true
	}
	return false
}

// tell wakes who waits for results. The caller holds mu.
func (p *pool) tell() {
	select {
	case p.changed <- struct{}{}:
	default:
	}
}

// say tells every child something. One that does not listen any more is noticed by its end.
func (p *pool) say(o order) {
	for _, c := range p.children {
		_ = c.orders.Encode(o)
	}
}

// failure is why the clients cannot be held.
func (p *pool) failure() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.failed
}

// ask says something and waits for what every child has found.
func (p *pool) ask(o order) ([]result, error) {
	p.mu.Lock()
	p.results = nil
	p.ending = o.Do == "finish"
	p.mu.Unlock()
	p.say(o)
	timer := time.NewTimer(time.Minute)
	defer timer.Stop()
	for {
		p.mu.Lock()
		results, failed := p.results, p.failed
		p.mu.Unlock()
		if failed != nil || len(results) == len(p.children) {
			return results, failed
		}
		select {
		case <-p.changed:
		case <-timer.C:
			return nil, errors.New("the processes with the clients do not answer")
		}
	}
}

// stop ends the children and waits for that.
func (p *pool) stop() {
	p.mu.Lock()
	p.ending = true
	p.mu.Unlock()
	for _, c := range p.children {
		c.in.Close()
	}
	p.wg.Wait()
	_ = p.board.close()
	p.file.Close()
}

// cpu is the CPU time that a child has used so far.
func (c *child) cpu() time.Duration { return processTime(c.command.Process.Pid) }

// processTime reads the CPU clock of a process.
func processTime(pid int) time.Duration {
	const schedClock = 2 // of a whole process, in nanoseconds
	var t unix.Timespec
	if unix.ClockGettime(int32(^pid)<<3|schedClock, &t) != nil {
		return 0
	}
	return time.Duration(t.Nano())
}
