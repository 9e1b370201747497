package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// A result is what one job showed.
type result struct {
	job
	When    time.Time     `json:"when"`
	Took    time.Duration `json:"took"`
	Failure string        `json:"failure,omitempty"` // why there are no figures
	Report  report        `json:"report"`
	Memory  memory        `json:"memory"`
	Server  []usage       `json:"server"` // CPU of the server in each phase
}

// A store is a file with one result a line. What is in it is not measured again, so that an interrupted run goes on.
type store struct {
	path    string
	results []result
}

func openStore(dir string, fresh bool) (*store, error) {
	s := &store{path: filepath.Join(dir, "results.jsonl")}
	if fresh {
		if err := os.Remove(s.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	file, err := os.Open(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var r result
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			continue // a run that was killed while it wrote
		}
		s.results = append(s.results, r)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("reading %s: %w", s.path, err)
	}
	return s, nil
}

func (s *store) add(r result) error {
	s.results = append(s.results, r)
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	file, err := os.OpenFile(s.path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	_, err = file.Write(append([]byte{'\n'}, append(line, '\n')...)) // after a line that may be half
	return errors.Join(err, file.Close())
}

// todo are the jobs without a result. One that failed is tried again in the next run.
func (s *store) todo(jobs []job) (left []job) {
	done := map[job]bool{}
	for _, r := range s.results {
		if r.Failure == "" {
			done[r.job] = true
		}
	}
	for _, j := range jobs {
		if !done[j] {
			left = append(left, j)
		}
	}
	return left
}
