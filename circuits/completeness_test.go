package circuits

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/zkinfer/zkinfer/model"
)

// Every op of the integer graph has a gadget and at least one case in this package's suite.
func TestEveryOpHasACircuitAndCases(t *testing.T) {
	cases := map[string]int{}
	for _, c := range gadgetCases() {
		g := c.build(rand.New(rand.NewPCG(1, 2)))
		for _, n := range g.Nodes {
			cases[n.Op.Kind()]++
		}
	}
	for _, op := range model.Ops() {
		if cases[op.Kind()] == 0 {
			t.Errorf("no case of %s", op.Kind())
		}
	}
}

// docs/ops.md is generated: the ops with what their types' comments say, and what one costs. Run with
// UPDATE_GOLDEN=1 to rewrite it.
func TestOpsDocument(t *testing.T) {
	comments := opComments(t)
	var b strings.Builder
	b.WriteString("# The operations of the integer graph\n\nGenerated from the source; `UPDATE_GOLDEN=1 go test ./circuits` rewrites this file.\n\n")
	b.WriteString("Costs are constraints an output element in the cases of this package's tests, without the rows of lookup tables,\nwhich all layers share. They are small layers: large ones pack better (see `zkinfer inspect`).\n\n")
	b.WriteString("| op | meaning | parameters | constraints an output |\n|---|---|---|---|\n")
	for _, op := range model.Ops() {
		name := strings.TrimPrefix(fmt.Sprintf("%T", op), "*model.")
		var params []string
		for _, p := range op.Params() {
			params = append(params, p.Name)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", op.Kind(), comments[name], strings.Join(params, ", "), costOf(t, op.Kind()))
	}
	const file = "../docs/ops.md"
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != b.String() {
		t.Errorf("%s is out of date", file)
	}
}

// costOf is the range of costs over the cases of one op alone.
func costOf(t *testing.T, kind string) string {
	least, most := -1.0, -1.0
	for _, c := range gadgetCases() {
		p, err := NewPlan(c.build(rand.New(rand.NewPCG(1, 2))), c.opts)
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Nodes) != 1 || p.Nodes[0].Kind != kind {
			continue
		}
		if p.Nodes[0].Activations == 0 {
			return "0"
		}
		per := float64(p.Nodes[0].Constraints) / float64(p.Nodes[0].Activations)
		if least < 0 || per < least {
			least = per
		}
		most = max(most, per)
	}
	if least < 0 {
		return "0"
	}
	if least == most {
		return fmt.Sprintf("%.1f", least)
	}
	return fmt.Sprintf("%.1f–%.1f", least, most)
}

// opComments are the first sentences of the op types' comments.
func opComments(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("../model/op_*.go")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.TYPE && g.Doc != nil {
				name := g.Specs[0].(*ast.TypeSpec).Name.Name
				out[name] = firstSentence(strings.TrimPrefix(g.Doc.Text(), name+" "))
			}
		}
	}
	return out
}

func firstSentence(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	for _, end := range []string{". ", ": "} {
		if i := strings.Index(s, end); i > 15 {
			s = s[:i]
		}
	}
	return strings.ReplaceAll(strings.TrimRight(s, ".:"), "|", "\\|")
}
