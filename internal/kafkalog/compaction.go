package kafkalog

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// kfake compacts a partition by deleting its files and writing them anew, and a process that is killed in the middle
// leaves a partition without records. So the files are linked into another folder before, and taken back at the next
// start where the new ones are not whole. A link costs nothing; the files are never changed, only appended to.

const (
	partitionsDir = "partitions"
	savedDir      = "before-compaction"
)

// topic is what kfake's file says of one.
type topic struct {
	Name       string
	Partitions int
	Configs    map[string]string
}

func (t topic) compacted() bool { return strings.Contains(t.Configs["cleanup.policy"], "compact") }

// folders are those of the topic's partitions, relative to partitionsDir.
func (t topic) folders() (names []string) {
	for p := range t.Partitions {
		names = append(names, folderOf(t.Name, p))
	}
	return names
}

func folderOf(topic string, partition int) string {
	return fmt.Sprintf("%s-%d", url.PathEscape(topic), partition)
}

// topics reads the file that kfake keeps of the topics.
func topics(dir string) ([]topic, error) {
	data, err := os.ReadFile(filepath.Join(dir, "topics.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var file struct{ Topics []topic }
	if err == nil {
		err = json.Unmarshal(data, &file)
	}
	return file.Topics, err
}

// saveSegments links the files of every compacted partition into savedDir.
func saveSegments(dir string) error {
	all, err := topics(dir)
	if err != nil {
		return err
	}
	for _, t := range all {
		if !t.compacted() {
			continue
		}
		for _, name := range t.folders() {
			files, err := os.ReadDir(filepath.Join(dir, partitionsDir, name))
			if errors.Is(err, fs.ErrNotExist) {
				continue // nothing was ever written to it
			}
			if err == nil {
				err = os.MkdirAll(filepath.Join(dir, savedDir, name), 0o700)
			}
			for _, f := range files {
				if err == nil && segment(f.Name()) {
					err = os.Link(filepath.Join(dir, partitionsDir, name, f.Name()), filepath.Join(dir, savedDir, name, f.Name()))
				}
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// forgetSegments is called when a compaction has ended.
func forgetSegments(dir string) error { return os.RemoveAll(filepath.Join(dir, savedDir)) }

// restoreSegments takes back the files of partitions in whose compaction the process was killed.
func restoreSegments(dir string) error {
	saved, err := os.ReadDir(filepath.Join(dir, savedDir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, f := range saved {
		if err == nil {
			err = restorePartition(filepath.Join(dir, savedDir, f.Name()), filepath.Join(dir, partitionsDir, f.Name()))
		}
	}
	if err != nil {
		return err
	}
	return forgetSegments(dir)
}

func restorePartition(saved, current string) error {
	whole, err := compactionWhole(saved, current)
	if err != nil || whole {
		return err
	}
	files, err := os.ReadDir(current)
	for _, f := range files {
		if err == nil && segment(f.Name()) {
			err = os.Remove(filepath.Join(current, f.Name()))
		}
	}
	if err != nil {
		return err
	}
	files, err = os.ReadDir(saved)
	for _, f := range files {
		if err == nil {
			err = os.Link(filepath.Join(saved, f.Name()), filepath.Join(current, f.Name()))
		}
	}
	return err
}

// compactionWhole reports whether the files of a partition are all as before its compaction, or all as after it. The
// compaction deletes the old files first and writes the newest record last.
func compactionWhole(saved, current string) (bool, error) {
	files, err := os.ReadDir(saved)
	if err != nil {
		return false, err
	}
	kept, gone := 0, 0
	for _, f := range files {
		before, err := f.Info()
		if err != nil {
			return false, err
		}
		now, err := os.Stat(filepath.Join(current, f.Name()))
		switch {
		case err == nil && os.SameFile(before, now):
			kept++
		case err == nil || errors.Is(err, fs.ErrNotExist):
			gone++
		default:
			return false, err
		}
	}
	if kept > 0 || gone == 0 {
		return gone == 0, nil
	}
	before, err := newestOffset(saved)
	if err != nil {
		return false, err
	}
	now, err := newestOffset(current)
	return now >= before, err
}

// newestOffset returns the offset of the last whole record in the files of a partition; -1 without any.
func newestOffset(folder string) (newest int64, err error) {
	newest = -1
	files, err := os.ReadDir(folder)
	if err != nil {
		return newest, err
	}
	for _, f := range files {
		if _, isData := segmentBase(f.Name()); !isData {
			continue
		}
		last, err := newestInSegment(filepath.Join(folder, f.Name()))
		if err != nil {
			return newest, err
		}
		newest = max(newest, last)
	}
	return newest, nil
}

// newestInSegment walks over the record batches of a file by their headers: first offset (8 bytes), length of the rest
// (4 bytes), and at byte 23 how far the last offset is from the first (4 bytes).
func newestInSegment(path string) (newest int64, err error) {
	newest = -1
	f, err := os.Open(path)
	if err != nil {
		return newest, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return newest, err
	}
	var header [27]byte
	for at := int64(0); ; {
		if _, err := f.ReadAt(header[:], at); errors.Is(err, io.EOF) {
			return newest, nil
		} else if err != nil {
			return newest, err
		}
		at += 12 + int64(binary.BigEndian.Uint32(header[8:]))
		if at > info.Size() {
			return newest, nil // cut off
		}
		newest = int64(binary.BigEndian.Uint64(header[:])) + int64(binary.BigEndian.Uint32(header[23:]))
	}
}

// segment reports whether a file has records, or the index of some.
func segment(name string) bool {
	_, isData := segmentBase(name)
	return isData || strings.HasSuffix(name, ".idx")
}

// segmentBase returns the first offset of a file with records.
func segmentBase(name string) (base int64, ok bool) {
	number, ok := strings.CutSuffix(name, ".dat")
	if !ok {
		return 0, false
	}
	base, err := strconv.ParseInt(number, 10, 64)
	return base, err == nil
}
