package reference

import (
	"embed"
	"strings"
)

//go:embed examples
var examples embed.FS

// A task is something that people come for, and how it is done.
type task struct {
	ID, Title, About string
	Ways             []way
}

// A way is a program that does it.
type way struct{ Language, Text string }

func readTasks() ([]task, error) {
	tasks := []task{
		{ID: "import", Title: "Add a lot and its spots from a file", About: "CSV and GeoJSON as you have them. Sent again, the same file changes nothing."},
		{ID: "readings", Title: "Send what sensors see", About: "Many at once, in any order: a reading that is older than the last one never moves a state."},
		{ID: "read", Title: "Read what is free", About: "By lot, zone, status, place and time, page by page."},
		{ID: "change", Title: "Change a spot, once", About: "A key makes it safe to try again; If-Match makes sure that nobody else was faster."},
		{ID: "watch", Title: "Be told of every change", About: "The clients reconnect by themselves and miss nothing."},
	}
	for i := range tasks {
		for _, from := range []struct{ language, file string }{{"curl", "curl.sh"}, {"Go", "main.go"}, {"TypeScript", "main.ts"}} {
			text, err := examples.ReadFile("examples/" + tasks[i].ID + "/" + from.file)
			if err != nil {
				return nil, err
			}
			tasks[i].Ways = append(tasks[i].Ways, way{from.language, strings.TrimSpace(string(text))})
		}
	}
	return tasks, nil
}
