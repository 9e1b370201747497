package kafkalog

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// The embedded broker finds out where a partition ends from its files. A partition that retention emptied has none,
// so after a restart it would count from 0 again, and cursors and consumers' positions, which are ahead of that,
// would take everything new for something they have. Kafka remembers; so the ends are written down before anything is removed,
// and put back before the broker starts. What is put back is what kfake itself writes for a partition whose segment is
// empty; TestOffsetsGoOnWhenRetentionHasEmptiedAPartition notices if another version of it does that differently.

const endsFile = "ends.json"

// ends holds, for each topic, the offset that the next record of each partition gets.
type ends map[string][]int64

// rememberEnds writes down where every partition ends.
func (b *Broker) rememberEnds() error {
	list, err := topics(b.dir)
	if err != nil {
		return err
	}
	all := ends{}
	for _, t := range list {
		for _, p := range b.cluster.PartitionInfos(t.Name) { // in order, without a hole
			all[t.Name] = append(all[t.Name], p.HighWatermark)
		}
	}
	data, err := json.Marshal(all)
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(b.dir, endsFile), data)
}

// restoreEnds puts back where partitions ended that have no records any more.
func restoreEnds(dir string) error {
	data, err := os.ReadFile(filepath.Join(dir, endsFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var all ends
	if err == nil {
		err = json.Unmarshal(data, &all)
	}
	if err != nil {
		return err
	}
	for topic, list := range all {
		for p, end := range list {
			folder := filepath.Join(dir, partitionsDir, folderOf(topic, p))
			if err := restoreEnd(folder, end); err != nil {
				return fmt.Errorf("topic %s, partition %d: %w", topic, p, err)
			}
		}
	}
	return nil
}

func restoreEnd(folder string, end int64) error {
	files, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) || err == nil && end == 0 {
		return nil // nothing was ever written
	}
	if err != nil {
		return err
	}
	for _, f := range files {
		if _, isData := segmentBase(f.Name()); !isData {
			continue
		}
		info, err := f.Info()
		if err != nil || info.Size() > 0 {
			return err // it has records, and they tell
		}
		if err := os.Remove(filepath.Join(folder, f.Name())); err != nil {
			return err
		}
	}
	snapshot, err := json.Marshal(map[string]any{
		"version": 1, "high_watermark": end, "last_stable_offset": end, "log_start_offset": end,
		"created_at": time.Now().UTC(), "segments": []map[string]any{{"base_offset": end, "size": 0}},
	})
	if err != nil {
		return err
	}
	if err := writeFile(filepath.Join(folder, "snapshot.json"), snapshot); err != nil {
		return err
	}
	return writeFile(filepath.Join(folder, fmt.Sprintf("%d.dat", end)), nil)
}

// writeFile replaces a file so that it is there whole, before or after a crash.
func writeFile(path string, data []byte) error {
	f, err := os.OpenFile(path+".tmp", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(path+".tmp", path)
}
