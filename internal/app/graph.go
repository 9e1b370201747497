package app

import (
	"fmt"
	"slices"
)

// A module is one part of the platform: what it needs, and how it is made.
type module struct {
	// needs come along wherever it runs: they have started before it starts, and end after it.
	needs []string
	// after are made before it and end after it where they run; it does not wait for their start.
	after []string
	// make builds the part without any I/O; what the modules it needs made is there already. Nil for a
	// module that is only what it needs.
	make func(*App) (part, error)
}

// graph holds every module by its name.
type graph map[string]module

// order returns the roots and everything that they need, each behind what it needs.
func (g graph) order(roots []string) ([]string, error) {
	wanted := map[string]bool{}
	var want func(name, by string) error
	want = func(name, by string) error {
		m, known := g[name]
		if !known {
			return fmt.Errorf("the module %q, which %s needs, does not exist", name, by)
		}
		if wanted[name] {
			return nil
		}
		wanted[name] = true
		for _, needed := range m.needs {
			if err := want(needed, name); err != nil {
				return err
			}
		}
		return nil
	}
	for _, root := range roots {
		if err := want(root, "the target"); err != nil {
			return nil, err
		}
	}
	var ordered, path []string
	var visit func(name string) error
	visit = func(name string) error {
		switch {
		case !wanted[name] || slices.Contains(ordered, name):
			return nil
		case slices.Contains(path, name):
			return fmt.Errorf("the modules %v need each other in a circle", append(path, name))
		}
		path = append(path, name)
		for _, before := range append(slices.Clone(g[name].needs), g[name].after...) {
			if err := visit(before); err != nil {
				return err
			}
		}
		path = path[:len(path)-1]
		ordered = append(ordered, name)
		return nil
	}
	for _, root := range roots {
		if err := visit(root); err != nil {
			return nil, err
		}
	}
	return ordered, nil
}
