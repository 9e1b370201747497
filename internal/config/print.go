package config

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// Setting is one effective value, as `parkwire config --format json` prints it.
type Setting struct {
	Name   string `json:"name"`
	Value  string `json:"value"` // secrets are masked
	Source string `json:"source"`
}

// Settings lists every effective value and where it came from.
func (l *Loader) Settings() []Setting {
	var all []Setting
	for _, f := range l.fields {
		all = append(all, Setting{f.name, f.String(), l.origins[f.name].Source})
	}
	return all
}

// Print writes [Loader.Settings] as a table, or as JSON.
func (l *Loader) Print(w io.Writer, asJSON bool) error {
	if asJSON {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		return e.Encode(l.Settings())
	}
	t := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	fmt.Fprintln(t, "SETTING\tVALUE\tSOURCE")
	for _, s := range l.Settings() {
		value := s.Value
		if value == "" {
			value = "-"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\n", s.Name, value, s.Source)
	}
	return t.Flush()
}

// firstClause cuts a help text at its first semicolon.
func firstClause(help string) string {
	clause, _, _ := strings.Cut(help, ";")
	return clause
}
