package model_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"maps"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/zkinfer/zkinfer/internal/allocation"
	"github.com/zkinfer/zkinfer/internal/envelope"
	"github.com/zkinfer/zkinfer/model"
)

func encode(t testing.TB, g *model.Graph) []byte {
	t.Helper()
	b, err := g.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestFileRoundTrip: a graph with every op comes back equal, and gives the same bytes again.
func TestFileRoundTrip(t *testing.T) {
	for seed := range uint64(4) {
		g := everyOp(t, seed)
		b := encode(t, g)
		if !bytes.Equal(b, encode(t, everyOp(t, seed))) {
			t.Error("the same graph gives different bytes")
		}
		back, err := model.Decode(b)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(b, encode(t, back)) {
			t.Error("read and written again, the bytes differ")
		}
		for i, n := range back.Nodes {
			if !reflect.DeepEqual(n, g.Nodes[i]) {
				t.Errorf("node %d is %+v, want %+v", i, n.Op, g.Nodes[i].Op)
			}
		}
		if !reflect.DeepEqual(back, g) {
			t.Error("the graph differs")
		}
		if back.ArchitectureDigest() != g.ArchitectureDigest() || back.ParameterDigest() != g.ParameterDigest() {
			t.Error("the digests differ")
		}
	}
}

func TestReadFile(t *testing.T) {
	g := everyOp(t, 1)
	path := filepath.Join(t.TempDir(), "model.zkm")
	if err := envelope.WriteFile(path, false, g.Write); err != nil {
		t.Fatal(err)
	}
	back, err := model.ReadFile(path)
	if err != nil || !reflect.DeepEqual(back, g) {
		t.Errorf("read back: %v", err)
	}
	if _, err := model.ReadFile(path + "x"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no such file: %v", err)
	}
}

// golden is a graph written down whole, so that its digests are the same for ever.
func golden(t *testing.T) *model.Graph {
	t.Helper()
	b := model.NewBuilder("golden")
	x, err := b.Input(model.Tensor{Name: "x", Shape: []int{1, 3}, Min: -128, Max: 127, Scale: 0.5, Zero: -1})
	if err != nil {
		t.Fatal(err)
	}
	y, err := b.Add("dense", &model.Dense{OutN: 2, Zero: -1, Weights: []int64{1, -300, 70000, 4, 5, -6}, Bias: []int64{7, -8},
		Rescale: model.Rescale{Shift: 12, QMin: -3000, QMax: 3000, Table: model.ClampTable(-3000, 3000, 0, 255)}}, 0.25, 0, x)
	if err != nil {
		t.Fatal(err)
	}
	b.Output(y)
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// TestGoldenDigests: keys and commitments on disk hold these digests. A change here makes all of
// them useless and needs a new label in digest.go.
func TestGoldenDigests(t *testing.T) {
	g := golden(t)
	architecture, parameters := g.ArchitectureDigest(), g.ParameterDigest()
	for _, c := range []struct {
		name, got, want string
	}{
		{"architecture", hex.EncodeToString(architecture[:]), "c9a6605b462077a8233c7378d4ae9e4ffc8a0121e55a895e2dedc779fae6af05"},
		{"parameters", hex.EncodeToString(parameters[:]), "751b867f6e9ef4fb9a4f40b54444b997d2562df5fb848ad9f5e689168de61a12"},
	} {
		if c.got != c.want {
			t.Errorf("%s: %s, want %s", c.name, c.got, c.want)
		}
	}
}

// TestDigestsCover tells what changes which digest.
func TestDigestsCover(t *testing.T) {
	before := everyOp(t, 1)
	conv := func(g *model.Graph) *model.Conv { return g.Nodes[0].Op.(*model.Conv) }
	for _, c := range []struct {
		name                     string
		edit                     func(*model.Graph)
		architecture, parameters bool // whether they change
	}{
		{"nothing", func(*model.Graph) {}, false, false},
		{"weight", func(g *model.Graph) { conv(g).Weights[5]++ }, false, true},
		{"bias", func(g *model.Graph) { conv(g).Bias[0]-- }, false, true},
		{"names", func(g *model.Graph) { g.Name, g.Nodes[0].Name, g.Tensors[1].Name = "a", "b", "c" }, false, false},
		{"table name", func(g *model.Graph) { conv(g).Rescale.Table.Name = "relu" }, false, false},
		{"scale", func(g *model.Graph) { g.Tensors[0].Scale *= 2 }, false, false},
		{"meaning of zero", func(g *model.Graph) { g.Tensors[0].Zero++ }, false, false},
		{"pixels", func(g *model.Graph) { g.Source.PixelMean, g.Source.PixelScale = nil, []float64{1} }, false, false},
		{"format", func(g *model.Graph) { g.Source.Format = "tflite" }, false, false},
		{"rounding", func(g *model.Graph) { g.Source.Rounding = "tflm" }, true, false},
		{"zero of an op", func(g *model.Graph) { conv(g).Zero++ }, true, false},
		{"shift", func(g *model.Graph) { conv(g).Rescale.Shift++ }, true, false},
		{"quotients", func(g *model.Graph) { conv(g).Rescale.QMin-- }, true, false},
		{"table value", func(g *model.Graph) { conv(g).Rescale.Table.Values[9]++ }, true, false},
		{"padding", func(g *model.Graph) { conv(g).PadAfter[1]++ }, true, false},
		{"range", func(g *model.Graph) { g.Tensors[3].Max++ }, true, false},
		{"shape", func(g *model.Graph) { g.Tensors[3].Shape[0]++ }, true, false},
		{"type", func(g *model.Graph) { g.Tensors[3].Type = model.Int32 }, true, false},
		{"edge", func(g *model.Graph) { g.Nodes[5].In[0]++ }, true, false},
		{"output order", func(g *model.Graph) { g.Outputs[0], g.Outputs[1] = g.Outputs[1], g.Outputs[0] }, true, false},
	} {
		after := everyOp(t, 1)
		c.edit(after)
		if changed := after.ArchitectureDigest() != before.ArchitectureDigest(); changed != c.architecture {
			t.Errorf("%s: architecture digest changes: %v, want %v", c.name, changed, c.architecture)
		}
		if changed := after.ParameterDigest() != before.ParameterDigest(); changed != c.parameters {
			t.Errorf("%s: parameter digest changes: %v, want %v", c.name, changed, c.parameters)
		}
	}
}

// TestDigestCoversEveryAttribute sets each attribute of each op to another value: the architecture
// digest must change, for a forgotten attribute is a proof about another network.
func TestDigestCoversEveryAttribute(t *testing.T) {
	digest := func(op model.Op) [32]byte {
		return (&model.Graph{Nodes: []model.Node{{Op: op}}}).ArchitectureDigest()
	}
	for _, op := range model.Ops() {
		params := map[any]bool{}
		for _, p := range op.Params() {
			params[p.Values] = true
		}
		before := digest(op)
		value := reflect.ValueOf(op).Elem()
		eachField(value, func(name string, field reflect.Value) {
			if params[field.Addr().Interface()] || name == "Name" {
				return
			}
			old := reflect.ValueOf(field.Interface())
			field.Set(another(t, field))
			if digest(op) == before {
				t.Errorf("%s: %s is not covered", op.Kind(), name)
			}
			field.Set(old)
		})
	}
}

// eachField visits the leaves of a struct.
func eachField(v reflect.Value, visit func(name string, field reflect.Value)) {
	for i := range v.NumField() {
		if f := v.Field(i); f.Kind() == reflect.Struct {
			eachField(f, visit)
		} else {
			visit(v.Type().Field(i).Name, f)
		}
	}
}

// another is a value that differs from the zero value of v's type.
func another(t *testing.T, v reflect.Value) reflect.Value {
	t.Helper()
	out := reflect.New(v.Type()).Elem()
	switch v.Kind() {
	case reflect.Int, reflect.Int64:
		out.SetInt(1)
	case reflect.Uint:
		out.SetUint(1)
	case reflect.Bool:
		out.SetBool(true)
	case reflect.String:
		out.SetString("edge")
	case reflect.Array:
		out.Index(1).SetInt(1)
	case reflect.Slice:
		out.Set(reflect.MakeSlice(v.Type(), 1, 1))
	default:
		t.Fatalf("no other value for %v", v.Type())
	}
	return out
}

// payload of a graph's file, for tests that tamper behind the digest.
func payload(t testing.TB, g *model.Graph) []byte {
	t.Helper()
	_, p, err := envelope.Decode(encode(t, g), model.FileKind)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// tampered decodes a payload as generic CBOR, edits it and frames it again.
func tampered(t testing.TB, g *model.Graph, edit func(file map[string]any)) []byte {
	t.Helper()
	file := map[string]any{}
	if err := envelope.Unmarshal(payload(t, g), &file); err != nil {
		t.Fatal(err)
	}
	edit(file)
	b, err := envelope.Marshal(file)
	if err != nil {
		t.Fatal(err)
	}
	return envelope.Encode(model.FileKind, model.FileVersion, b)
}

func TestDecodeRejects(t *testing.T) {
	g := golden(t)
	p := payload(t, g)
	frame := func(p []byte) []byte { return envelope.Encode(model.FileKind, model.FileVersion, p) }
	node := func(file map[string]any) map[any]any { return file["Nodes"].([]any)[0].(map[any]any) }
	tensor := func(file map[string]any) map[any]any { return file["Tensors"].([]any)[1].(map[any]any) }
	edited := func(edit func(map[string]any)) []byte { return tampered(t, g, edit) }
	long := bytes.Replace(p, []byte("fgolden"), []byte("x\x06golden"), 1) // a length in two bytes
	for _, c := range []struct {
		name string
		b    []byte
		want error
	}{
		{"as it is", edited(func(map[string]any) {}), nil},
		{"version", envelope.Encode(model.FileKind, 9, p), envelope.ErrUnsupportedVersion},
		{"kind", envelope.Encode("vkey", model.FileVersion, p), envelope.ErrKind},
		{"empty", frame(nil), envelope.ErrMalformed},
		{"trailing byte", frame(append(bytes.Clone(p), 0)), envelope.ErrMalformed},
		{"not canonical", frame(long), envelope.ErrMalformed},
		{"unknown key", edited(func(f map[string]any) { f["Extra"] = 1 }), envelope.ErrMalformed},
		{"missing key", edited(func(f map[string]any) { delete(f, "Source") }), envelope.ErrMalformed},
		{"unknown op", edited(func(f map[string]any) { node(f)["Kind"] = "lstm" }), model.ErrGraph},
		{"other op", edited(func(f map[string]any) { node(f)["Kind"] = "conv" }), envelope.ErrMalformed},
		{"no attributes", edited(func(f map[string]any) { node(f)["Attributes"] = map[string]any{} }), model.ErrShape},
		{"parameter missing", edited(func(f map[string]any) { node(f)["Parameters"] = [][]byte{{1}} }), envelope.ErrMalformed},
		{"parameter empty", edited(func(f map[string]any) { node(f)["Parameters"] = [][]byte{{}, {}} }), envelope.ErrMalformed},
		{"parameter width", edited(func(f map[string]any) { node(f)["Parameters"] = [][]byte{{9}, {1}} }), envelope.ErrMalformed},
		{"parameter ragged", edited(func(f map[string]any) { node(f)["Parameters"] = [][]byte{{2, 0}, {1}} }), envelope.ErrMalformed},
		{"parameter wide", edited(func(f map[string]any) {
			node(f)["Parameters"] = [][]byte{{1, 1, 1, 1, 1, 1, 1}, {2, 0, 0, 0, 0}}
		}), envelope.ErrMalformed},
		{"parameters few", edited(func(f map[string]any) { node(f)["Parameters"] = [][]byte{{1, 5}, {1, 0, 0}} }), model.ErrAttribute},
		{"shape", edited(func(f map[string]any) { tensor(f)["Shape"] = []int{1, 1 << 40} }), model.ErrLimit},
		{"range", edited(func(f map[string]any) { tensor(f)["Max"] = 254 }), model.ErrRange},
		{"output twice", edited(func(f map[string]any) { f["Outputs"] = []int{1, 1} }), model.ErrGraph},
		{"three numbers for a pair", tampered(t, everyOp(t, 1), func(f map[string]any) {
			node(f)["Attributes"].(map[any]any)["Kernel"] = []int{3, 3, 3}
		}), envelope.ErrMalformed},
		{"text for a number", edited(func(f map[string]any) { tensor(f)["Max"] = "255" }), envelope.ErrMalformed},
	} {
		if _, err := model.Decode(c.b); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

// numbers visits every integer of a decoded payload, of long lists the first nine; set replaces it.
func numbers(v any, visit func(set func(int64))) {
	children := func(child any, replace func(any)) {
		switch child.(type) {
		case uint64, int64:
			visit(func(n int64) { replace(n) })
		default:
			numbers(child, visit)
		}
	}
	switch v := v.(type) {
	case map[any]any:
		for _, key := range slices.SortedFunc(maps.Keys(v), func(a, b any) int { return strings.Compare(a.(string), b.(string)) }) {
			children(v[key], func(n any) { v[key] = n })
		}
	case []any:
		for i, child := range v {
			if _, inner := child.(map[any]any); !inner && i > 8 {
				break
			}
			children(child, func(n any) { v[i] = n })
		}
	}
}

// tamper sets the leaf-th integer of a file with every op to value; it reports whether there is one.
func tamper(t testing.TB, g *model.Graph, leaf int, value int64) (b []byte, ok bool) {
	b = tampered(t, g, func(file map[string]any) {
		whole := map[any]any{}
		for k, v := range file {
			whole[k] = v
		}
		numbers(whole, func(set func(int64)) {
			if leaf == 0 {
				set(value)
				ok = true
			}
			leaf--
		})
	})
	return b, ok
}

// checkAccepted: what Decode accepts is canonical and can be executed.
func checkAccepted(t *testing.T, file []byte) {
	t.Helper()
	g, err := model.Decode(file)
	if err != nil {
		return
	}
	if again := encode(t, g); !bytes.Equal(again, file) {
		t.Fatalf("%x is accepted and written as %x", file, again)
	}
	steps := int64(0)
	for _, n := range g.Nodes {
		out := g.Tensors[n.Out]
		steps += n.Op.MACs(g.Operands(n), out) + int64(out.Len())
	}
	if steps > 1<<16 {
		return
	}
	trace, err := g.Execute(context.Background(), randomInputs(g, 1))
	if err != nil {
		t.Fatal(err)
	}
	for id, x := range g.Tensors {
		if v := trace.Values[id]; slices.Min(v) < x.Min || slices.Max(v) > x.Max {
			t.Fatalf("tensor %d holds [%d, %d], declared is [%d, %d]", id, slices.Min(v), slices.Max(v), x.Min, x.Max)
		}
	}
}

// TestTamperedNumbers replaces every number of a file by numbers that break careless arithmetic.
func TestTamperedNumbers(t *testing.T) {
	g := everyOp(t, 1)
	leaves := 0
	for ok := true; ok; leaves++ {
		for _, value := range []int64{math.MinInt64, -1, 0, 1, 1 << 16, 1 << 31, math.MaxInt64} {
			var b []byte
			if b, ok = tamper(t, g, leaves, value); ok {
				checkAccepted(t, b)
			}
		}
	}
	if leaves < 200 {
		t.Errorf("only %d numbers were tried", leaves)
	}
}

func FuzzTamper(f *testing.F) {
	g := everyOp(f, 1)
	f.Add(3, int64(-1))
	f.Fuzz(func(t *testing.T, leaf int, value int64) {
		defer allocation.Bound(t)()
		b, ok := tamper(t, g, leaf%512, value)
		if !ok {
			return
		}
		checkAccepted(t, b)
	})
}

// FuzzDecode: see checkAccepted.
func FuzzDecode(f *testing.F) {
	for seed := range uint64(3) {
		f.Add(payload(f, everyOp(f, seed)))
	}
	f.Add([]byte{0xa0})
	f.Fuzz(func(t *testing.T, p []byte) {
		defer allocation.Bound(t)()
		checkAccepted(t, envelope.Encode(model.FileKind, model.FileVersion, p))
	})
}
