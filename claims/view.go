package claims

import (
	"fmt"
	"slices"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// View is a committed tensor as something else sees it: rearranged, cut, repeated, summed. All of that is linear, so a
// functional on the view is one on the tensor.
type View struct {
	// Tensor is an index of Network.Tensors, or Ones.
	Tensor int
	// Shape is that of the ones.
	Shape []int
	Steps []Step
}

// Ones stands for a tensor of ones, which nobody commits to.
const Ones = -1

// Step makes a tensor from another. Exactly one field is set.
type Step struct {
	// Permute: axis i is axis Permute[i] of the source.
	Permute []int
	Reshape *Reshape
	Window  *Window
	Select  *Select
}

// Reshape keeps the elements' order.
type Reshape struct {
	Shape []int
}

// Window sums along an axis: element o < Length is Σ_{t < Kernel} source[o·Stride + t·Dilation − Pad], where elements
// beyond the source are 0. Slices, paddings with 0, repetitions (Stride 0), sums and poolings are all windows.
type Window struct {
	Axis, Length, Kernel, Stride, Dilation, Pad int
}

// Select takes elements along an axis; −1 is 0.
type Select struct {
	Axis    int
	Indices []int
}

// Limits of a description, so that none that was made to hurt costs much.
const (
	maxAxes     = 8
	maxElements = 1 << 27
	maxLength   = 1 << 24
	maxSteps    = 64
)

func checkShape(shape []int) error {
	n := 1
	if len(shape) > maxAxes {
		return fmt.Errorf("%w: %d axes, at most %d", ErrNetwork, len(shape), maxAxes)
	}
	for _, d := range shape {
		if d < 1 || d > maxLength || n > maxElements/d {
			return fmt.Errorf("%w: shape %v", ErrNetwork, shape)
		}
		n *= d
	}
	return nil
}

// Apply is the shape that the step makes of one. Errors wrap ErrNetwork.
func (s *Step) Apply(shape []int) ([]int, error) {
	out := slices.Clone(shape)
	switch {
	case s.Permute != nil:
		seen := make([]bool, len(shape))
		if len(s.Permute) != len(shape) {
			return nil, fmt.Errorf("%w: permutation %v of %v", ErrNetwork, s.Permute, shape)
		}
		for i, a := range s.Permute {
			if a < 0 || a >= len(shape) || seen[a] {
				return nil, fmt.Errorf("%w: permutation %v of %v", ErrNetwork, s.Permute, shape)
			}
			seen[a], out[i] = true, shape[a]
		}
	case s.Reshape != nil:
		if err := checkShape(s.Reshape.Shape); err != nil {
			return nil, err
		}
		if volume(s.Reshape.Shape) != volume(shape) {
			return nil, fmt.Errorf("%w: %v as %v", ErrNetwork, shape, s.Reshape.Shape)
		}
		return slices.Clone(s.Reshape.Shape), nil
	case s.Window != nil:
		w := s.Window
		if w.Axis < 0 || w.Axis >= len(shape) || w.Kernel < 1 || w.Kernel > maxLength || outside(w.Stride) || outside(w.Dilation) || outside(w.Pad) {
			return nil, fmt.Errorf("%w: window %+v on %v", ErrNetwork, *w, shape)
		}
		if w.Length < 1 || w.Length > maxLength || w.Length*w.Kernel > maxElements {
			return nil, fmt.Errorf("%w: window %+v", ErrNetwork, *w)
		}
		out[w.Axis] = w.Length
	case s.Select != nil:
		if s.Select.Axis < 0 || s.Select.Axis >= len(shape) {
			return nil, fmt.Errorf("%w: selection along axis %d of %v", ErrNetwork, s.Select.Axis, shape)
		}
		for _, i := range s.Select.Indices {
			if i < -1 || i >= shape[s.Select.Axis] {
				return nil, fmt.Errorf("%w: selection of element %d of %v", ErrNetwork, i, shape)
			}
		}
		out[s.Select.Axis] = len(s.Select.Indices)
	default:
		return nil, fmt.Errorf("%w: empty step", ErrNetwork)
	}
	return out, checkShape(out)
}

func outside(v int) bool { return v < -maxLength || v > maxLength }

func volume(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// shapes are those before each step, and the view's.
func (n *Network) shapes(v *View) ([][]int, error) {
	shape := v.Shape
	if v.Tensor != Ones {
		if v.Tensor < 0 || v.Tensor >= len(n.Tensors) {
			return nil, fmt.Errorf("%w: tensor %d of %d", ErrNetwork, v.Tensor, len(n.Tensors))
		}
		shape = n.Tensors[v.Tensor].Shape
	}
	if err := checkShape(shape); err != nil || len(v.Steps) > maxSteps {
		return nil, fmt.Errorf("%w: view of %v in %d steps", ErrNetwork, shape, len(v.Steps))
	}
	out := [][]int{shape}
	for i := range v.Steps {
		next, err := v.Steps[i].Apply(out[i])
		if err != nil {
			return nil, err
		}
		out = append(out, next)
	}
	return out, nil
}

// ShapeOf is the shape of a view. Errors wrap ErrNetwork.
func (n *Network) ShapeOf(v *View) ([]int, error) {
	s, err := n.shapes(v)
	if err != nil {
		return nil, err
	}
	return s[len(s)-1], nil
}

// pulled are k times functionals on a view as functionals on its tensor, equal ones added up.
func (n *Network) pulled(v *View, k fr.Element, functionals []Weights) []Weights {
	shapes, err := n.shapes(v)
	if err != nil {
		panic(err) // the network was checked
	}
	out := slices.Clone(functionals)
	for i := range out {
		if len(v.Steps) > 0 {
			out[i] = out[i].on(out[i].Shape)
		}
		out[i].Coefficient.Mul(&out[i].Coefficient, &k)
	}
	for i := len(v.Steps) - 1; i >= 0; i-- {
		known := map[identity]vector{}
		for j := range out {
			v.Steps[i].back(&out[j], shapes[i], known)
		}
		out = merged(out)
	}
	return out
}

// merged adds up functionals that differ in nothing but their coefficients: where a step sums along an axis, blocks along it
// become one.
func merged(functionals []Weights) []Weights {
	out := functionals[:0]
	for i := range functionals {
		w := &functionals[i]
		if at := slices.IndexFunc(out, func(x Weights) bool { return slices.EqualFunc(x.groups, w.groups, sameGroup) }); at >= 0 {
			out[at].Coefficient.Add(&out[at].Coefficient, &w.Coefficient)
			continue
		}
		out = append(out, *w)
	}
	return out
}

func sameGroup(a, b group) bool { return a.identity() == b.identity() && slices.Equal(a.axes, b.axes) }

// back makes a functional on the step's result one on its source. known are vectors that became others.
func (s *Step) back(w *Weights, source []int, known map[identity]vector) {
	switch {
	case s.Permute != nil:
		w.permute(s.Permute)
	case s.Reshape != nil:
		*w = w.reshaped(source)
	case s.Window != nil:
		w.along(s.Window.Axis, source, s.Window.back, known)
	default:
		w.along(s.Select.Axis, source, s.Select.back, known)
	}
	w.Shape = source
}

func (w *Weights) permute(perm []int) {
	for i := range w.groups {
		g := &w.groups[i]
		if len(g.axes) == 1 {
			g.axes = oneAxis(perm[g.axes[0]])
			continue
		}
		axes := make([]int, len(g.axes))
		for k, a := range g.axes {
			axes[k] = perm[a]
		}
		g.axes = axes
	}
}

// along maps the weights along one axis.
func (w *Weights) along(axis int, source []int, back func(v vector, n int) vector, known map[identity]vector) {
	for i := range w.groups {
		g := &w.groups[i]
		at := slices.Index(g.axes, axis)
		if at < 0 {
			continue
		}
		key := g.identity()
		v, ok := known[key]
		if !ok {
			v = g.mapped(at, w.Shape, source[axis], back)
			known[key] = v
		}
		if g.vector = v; len(g.axes) == 1 && source[axis] == 1 && !v.isEq {
			w.Coefficient.Mul(&w.Coefficient, &v.values[0])
			g.vector = oneWeight()
		}
		return
	}
}

// mapped maps every line of a group's array along its at-th axis.
func (g *group) mapped(at int, shape []int, n int, back func(v vector, n int) vector) vector {
	if len(g.axes) == 1 {
		return back(g.vector, n)
	}
	outer, inner, length := 1, 1, shape[g.axes[at]]
	for i, a := range g.axes {
		if i < at {
			outer *= shape[a]
		} else if i > at {
			inner *= shape[a]
		}
	}
	out := make([]fr.Element, outer*n*inner)
	line := make([]fr.Element, length)
	for o := range outer {
		for i := range inner {
			for k := range line {
				line[k] = g.values[(o*length+k)*inner+i]
			}
			v := back(denseVector(line), n)
			for k, x := range v.dense(n) {
				out[(o*n+k)*inner+i] = x
			}
		}
	}
	return denseVector(out)
}

func (win *Window) back(v vector, n int) vector {
	if win.Kernel == 1 && win.Stride == 1 && v.isEq { // a shift
		if start := v.start - win.Pad; start >= 0 && start+v.n <= n {
			v.start = start
			return v
		}
	}
	out := make([]fr.Element, n)
	if win.Kernel == 1 && win.Stride == 0 { // all read one element
		if i := -win.Pad; i >= 0 && i < n {
			out[i] = v.sum()
		}
		return denseVector(out)
	}
	entries := v.entries()
	for o := range entries {
		for t := range win.Kernel {
			if i := (v.start+o)*win.Stride + t*win.Dilation - win.Pad; i >= 0 && i < n {
				out[i].Add(&out[i], &entries[o])
			}
		}
	}
	return denseVector(out)
}

func (s *Select) back(v vector, n int) vector {
	out := make([]fr.Element, n)
	entries := v.entries()
	for o := range entries {
		if i := s.Indices[v.start+o]; i >= 0 {
			out[i].Add(&out[i], &entries[o])
		}
	}
	return denseVector(out)
}

// reshaped regroups axes. A stretch of one axis on either side keeps its vector; the others become groups.
func (w Weights) reshaped(source []int) Weights {
	out := Weights{Shape: source, Coefficient: w.Coefficient}
	for i := range w.groups { // axes of one element are factors
		g := &w.groups[i]
		if !slices.ContainsFunc(g.axes, func(a int) bool { return w.Shape[a] > 1 }) {
			s := g.sum()
			out.Coefficient.Mul(&out.Coefficient, &s)
		}
	}
	for a, d := range source {
		if d == 1 {
			out.groups = append(out.groups, group{oneAxis(a), oneWeight()})
		}
	}
	for _, s := range w.stretches(source) {
		out.groups = append(out.groups, w.regroup(s.to, s.from))
	}
	return out
}

// regrouping is axes of a reshaped view and those of its source that have the same elements.
type regrouping struct{ to, from []int }

// stretches cuts the axes of both shapes, but for those of one element, into the shortest stretches of equal volume.
func (w *Weights) stretches(source []int) (out []regrouping) {
	to, from := long(w.Shape), long(source)
	for len(to) > 0 {
		i, j := w.stretch(to, from, source)
		out = append(out, regrouping{to[:i], from[:j]})
		to, from = to[i:], from[j:]
	}
	return out
}

// long are the axes of more than one element.
func long(shape []int) (axes []int) {
	for a, d := range shape {
		if d > 1 {
			axes = append(axes, a)
		}
	}
	return axes
}

// stretch is how many axes of either shape make the next stretch, of whole groups.
func (w *Weights) stretch(to, from, source []int) (i, j int) {
	a, b := 1, 1
	for {
		switch {
		case a < b || i == 0:
			a *= w.Shape[to[i]]
			i++
		case b < a:
			b *= source[from[j]]
			j++
		case w.splits(to[:i]):
			a *= w.Shape[to[i]]
			i++
		default:
			return i, j
		}
	}
}

// splits tells whether a group has axes among these and others of more than one element.
func (w *Weights) splits(axes []int) bool {
	for _, g := range w.groups {
		in, out := false, false
		for _, a := range g.axes {
			if slices.Contains(axes, a) {
				in = true
			} else if w.Shape[a] > 1 {
				out = true
			}
		}
		if in && out {
			return true
		}
	}
	return false
}

// regroup is the product of the groups of some axes, as one group of the source's axes.
func (w *Weights) regroup(to, from []int) group {
	var members []*group
	for i := range w.groups {
		if slices.ContainsFunc(w.groups[i].axes, func(a int) bool { return slices.Contains(to, a) }) {
			members = append(members, &w.groups[i])
		}
	}
	if len(members) == 1 && len(members[0].axes) == 1 && len(from) == 1 {
		return group{from, members[0].vector}
	}
	return group{from, joined(members, w.Shape).vector}
}
