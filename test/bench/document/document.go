// Package document writes what benchmarks have measured into documents.
package document

import (
	"bytes"
	"fmt"
	"os"
)

// End is the mark at which a measured part of a document ends.
const End = "<!-- end -->"

// Fill writes text between a mark, which ends with its line, and the next [End] of a document. It fails, and writes nothing, where one of them is missing.
func Fill(file, mark, text string) error {
	whole, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	before, rest, ok := bytes.Cut(whole, []byte(mark))
	_, after, there := bytes.Cut(rest, []byte(End))
	if !ok || !there {
		return fmt.Errorf("%s has not the marks %q and %q", file, mark, End)
	}
	return os.WriteFile(file, bytes.Join([][]byte{before, []byte(mark), []byte(text), []byte(End), after}, nil), 0o644)
}

// Thousands puts commas between the thousands of a whole number that is not negative, given as its digits.
func Thousands(digits string) string {
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
