package live

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// over2 serves one answer over HTTP/2 and hands the test its connection.
func over2(t *testing.T) (*answerConn, *http.Response) {
	t.Helper()
	conns := make(chan *answerConn, 1)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a := newAnswerConn(w, r)
		_ = http.NewResponseController(w).Flush()
		conns <- a
		a.wait()
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	response, err := server.Client().Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { response.Body.Close() })
	if response.ProtoMajor != 2 {
		t.Fatalf("it is %s", response.Proto)
	}
	return <-conns, response
}

func TestAnAnswerIsAConnectionUntilItIsClosed(t *testing.T) {
	a, response := over2(t)
	if _, err := a.Write([]byte("one")); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 3)
	if _, err := io.ReadFull(response.Body, got); err != nil || string(got) != "one" {
		t.Errorf("%q came, %v", got, err)
	}
	a.Close()
	if rest, err := io.ReadAll(response.Body); err != nil || len(rest) != 0 {
		t.Errorf("it ends with %q, %v", rest, err)
	}
	if _, err := a.Write([]byte("two")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("writing to what is closed: %v", err)
	}
	if _, err := a.Read(nil); err == nil {
		t.Error("reading from what is closed goes on")
	}
	_ = a.SetDeadline(time.Now()) // and breaks nothing
}

func TestTheReaderOfAnAnswerHearsThatItsClientIsGone(t *testing.T) {
	a, response := over2(t)
	response.Body.Close()
	if _, err := a.Read(nil); err != io.EOF {
		t.Errorf("it hears %v", err)
	}
	a.Close()
}

func TestClosingAnAnswerEndsAWriteThatWaits(t *testing.T) {
	a, _ := over2(t)
	ended := make(chan error, 1)
	go func() {
		_, err := a.Write(make([]byte, 64<<20)) // nobody reads
		ended <- err
	}()
	for a.writing.TryLock() { // until it is under way
		a.writing.Unlock()
		time.Sleep(time.Millisecond)
	}
	a.Close()
	select {
	case err := <-ended:
		if err == nil {
			t.Error("it was written though nobody read it")
		}
	case <-time.After(time.Minute):
		t.Fatal("it still waits")
	}
}
