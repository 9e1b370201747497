package config

import (
	"cmp"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Loader gathers settings from flags, environment and one YAML file, in that order of
// precedence. Its flags must be registered before the command line is parsed.
type Loader struct {
	config  Config
	fields  []field
	origins map[string]Origin

	flags map[string]string // as they stood on the command line
	file  string
	// Warnings are things that are probably mistakes and stop nothing.
	Warnings []string

	errs Errors
}

// NewLoader returns a loader that holds the defaults.
func NewLoader() *Loader {
	l := &Loader{flags: map[string]string{}, origins: map[string]Origin{}}
	l.fields = fields(&l.config)
	for _, f := range l.fields {
		if f.fallback != "" {
			if err := f.set(f.fallback); err != nil {
				panic("config: the default of " + f.name + ": " + err.Error())
			}
		}
		l.origins[f.name] = Origin{"default"}
	}
	return l
}

// RegisterFlags adds a flag for each named setting, or for all, and --config.
func (l *Loader) RegisterFlags(fs *flag.FlagSet, names ...string) {
	fs.Func("config", "YAML file with settings", func(text string) error { l.file = text; return nil })
	for _, f := range l.fields {
		if len(names) > 0 && !slices.Contains(names, f.name) {
			continue
		}
		take := func(text string) error { l.flags[f.name] = text; return nil }
		help := f.help
		if f.fallback != "" {
			help += " (default " + f.fallback + ")"
		}
		if f.kind() == "true or false" {
			fs.BoolFunc(f.name, help, take)
		} else {
			fs.Func(f.name, help, take)
		}
	}
}

// Load reads all sources and checks each value by itself; environ is as from os.Environ.
// The error is an [Errors], of everything that is wrong.
func (l *Loader) Load(environ []string) error {
	env := map[string]string{}
	for _, pair := range environ {
		if name, value, _ := strings.Cut(pair, "="); strings.HasPrefix(name, envPrefix) {
			env[name] = value
		}
	}
	if file := cmp.Or(l.file, env["PARKWIRE_CONFIG"]); file != "" {
		l.loadFile(file)
	}
	for _, f := range l.fields {
		// An empty variable counts as one that is not set, because compose files and manifests
		// write "${X:-}"; an empty flag counts as the empty value.
		if text := env[EnvName(f.name)]; text != "" {
			l.set(f, text, EnvName(f.name))
		}
		if text, ok := l.flags[f.name]; ok {
			l.set(f, text, "flag --"+f.name)
		}
	}
	l.warnUnknown(env)
	l.validate()
	if len(l.errs) > 0 {
		return l.errs
	}
	return nil
}

func (l *Loader) set(f field, text, source string) {
	if err := f.set(text); err != nil {
		l.errs = append(l.errs, FieldError{f.name, source, err.Error(), f.example})
		return
	}
	l.origins[f.name] = Origin{source}
}

// serviceLink matches the variables that Kubernetes sets for each service it knows, which
// begin like ours where a service is called parkwire.
var serviceLink = regexp.MustCompile(`_SERVICE_(HOST|PORT)|_PORT(_\d+_(TCP|UDP).*)?$`)

// Variables of the programs that talk to a running platform, and of its tests.
var otherVariables = []string{"PARKWIRE_CONFIG", "PARKWIRE_TOKEN", "PARKWIRE_URL"}

// warnUnknown tells of variables that set nothing. They do not stop the start: not everything
// that begins with PARKWIRE_ was put there by somebody who configures Parkwire.
func (l *Loader) warnUnknown(env map[string]string) {
	known := slices.Clone(otherVariables)
	for _, f := range l.fields {
		known = append(known, EnvName(f.name))
	}
	for name := range env {
		if slices.Contains(known, name) || strings.HasPrefix(name, "PARKWIRE_TEST_") || serviceLink.MatchString(name) {
			continue
		}
		l.Warnings = append(l.Warnings, "the environment variable "+name+" sets nothing"+DidYouMean(name, known))
	}
	slices.Sort(l.Warnings)
}

// loadFile reads a YAML file: a mapping of settings to scalars or to lists of scalars.
func (l *Loader) loadFile(path string) {
	fail := func(reason string) {
		l.errs = append(l.errs, FieldError{"config", path, reason, "parkwire.yaml"})
	}
	text, err := os.ReadFile(path)
	if err != nil {
		var pathErr *os.PathError
		if errors.As(err, &pathErr) {
			err = pathErr.Err
		}
		fail("the file cannot be read: " + err.Error())
		return
	}
	parsed, err := parser.ParseBytes(text, 0)
	if err != nil {
		fail("the file is no YAML: " + firstLine(err.Error()))
		return
	}
	var pairs []*ast.MappingValueNode
	for _, doc := range parsed.Docs {
		switch body := doc.Body.(type) {
		case nil, *ast.NullNode, *ast.CommentGroupNode:
		case *ast.MappingNode:
			pairs = append(pairs, body.Values...)
		case *ast.MappingValueNode:
			pairs = append(pairs, body)
		default:
			fail(`the file must hold lines such as "listen: :5000"`)
			return
		}
	}
	for _, pair := range pairs {
		l.setPair(filepath.Base(path), pair)
	}
}

func (l *Loader) setPair(file string, pair *ast.MappingValueNode) {
	name := pair.Key.GetToken().Value
	source := file + ":" + strconv.Itoa(pair.Key.GetToken().Position.Line)
	i := slices.IndexFunc(l.fields, func(f field) bool { return f.name == name })
	if i < 0 {
		l.errs = append(l.errs, FieldError{name, source, "there is no such setting" + DidYouMean(name, Names()), ""})
		return
	}
	text, err := plain(pair.Value)
	if err != nil {
		l.errs = append(l.errs, FieldError{name, source, err.Error(), l.fields[i].example})
		return
	}
	l.set(l.fields[i], text, source)
}

// plain returns a scalar as it is written, or a list of scalars with commas.
func plain(node ast.Node) (string, error) {
	switch n := node.(type) {
	case *ast.NullNode:
		return "", nil
	case *ast.StringNode:
		return n.Value, nil
	case *ast.LiteralNode:
		return n.Value.Value, nil
	case *ast.SequenceNode:
		var parts []string
		for _, value := range n.Values {
			if _, nested := value.(*ast.SequenceNode); nested {
				return "", errors.New("a list must not hold lists")
			}
			part, err := plain(value)
			if err != nil {
				return "", err
			}
			if strings.Contains(part, ",") {
				return "", errors.New("what stands in the list must not contain a comma") // it may be a secret
			}
			parts = append(parts, part)
		}
		return strings.Join(parts, ","), nil
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return n.GetToken().Value, nil
	}
	return "", errors.New("the value must be a text, a number, true, false, or a list of those")
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return line
}
