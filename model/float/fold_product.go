package float

import "math"

// matchProduct recognises functions of x that exporters write as products, and rewrites n to one
// Unary; it reports whether it has appended what replaces n.
func (f *folder) matchProduct(n *Node) (done bool) {
	if n.Op != Op(Binary{Func: "mul"}) {
		return false
	}
	for i := range 2 {
		x, gate := n.In[i], n.In[1-i]
		if op, ok := f.gated(x, gate); ok {
			f.uses[gate]--
			n.Op, n.In = op, []int{x}
			return false
		}
		if source, factor, ok := f.gelu(x, gate); ok {
			f.appendScaledGelu(n, source, factor)
			return true
		}
	}
	return false
}

// gated is the function x·gate where gate is a sigmoid of x: silu or hardswish.
func (f *folder) gated(x, gate int) (Unary, bool) {
	p := f.producerOf(gate)
	if p == nil || p.In[0] != x {
		return Unary{}, false
	}
	u, ok := p.Op.(Unary)
	switch {
	case !ok:
	case u.Func == "sigmoid":
		return Unary{Func: "silu"}, true
	case u.Func == "hardsigmoid" && near(u.Alpha, 1.0/6) && near(u.Beta, 0.5):
		return Unary{Func: "hardswish"}, true
	}
	return Unary{}, false
}

// gelu recognises a·b with a = c·x and b = s·(1 + erf(x/√2)), which is 2cs·GELU(x) (Hendrycks and
// Gimpel, "Gaussian Error Linear Units", 2016).
func (f *folder) gelu(a, b int) (x int, factor float64, ok bool) {
	e, s, t, ok := f.scaled(b)
	if !ok || !near(s, t) {
		return 0, 0, false
	}
	p := f.producerOf(e)
	if p == nil || p.Op != Op(Unary{Func: "erf"}) {
		return 0, 0, false
	}
	x, r, zero, ok := f.scaled(p.In[0])
	if !ok || !near(r, 1/math.Sqrt2) || zero != 0 {
		return 0, 0, false
	}
	if a == x {
		return x, 2 * s, true
	}
	source, c, zero, ok := f.scaled(a)
	return x, 2 * s * c, ok && source == x && zero == 0
}

// scaled takes the tensor apart as x·s + t with scalars.
func (f *folder) scaled(tensor int) (x int, s, t float64, ok bool) {
	p := f.producerOf(tensor)
	if p == nil || p.Op != Op(Affine{}) {
		return 0, 0, 0, false
	}
	scale, shift := f.g.Tensors[p.In[1]].Const, f.g.Tensors[p.In[2]].Const
	if len(scale) != 1 || len(shift) != 1 {
		return 0, 0, 0, false
	}
	return p.In[0], float64(scale[0]), float64(shift[0]), true
}

// appendScaledGelu replaces the product n by factor·GELU(x); the factor is usually 1 or goes into the
// Affine that follows.
func (f *folder) appendScaledGelu(n *Node, x int, factor float64) {
	f.uses[n.In[0]]--
	f.uses[n.In[1]]--
	f.uses[x]++
	gelu := Node{Name: n.Name, Op: Unary{Func: "gelu"}, In: []int{x}, Out: n.Out}
	if near(factor, 1) {
		f.append(gelu)
		return
	}
	out := f.g.Tensors[n.Out]
	gelu.Out = f.addTensor(Tensor{Name: out.Name + ".gelu", Shape: out.Shape})
	f.append(gelu)
	s := f.addTensor(Tensor{Name: out.Name + ".scale", Shape: []int{}, Const: []float32{float32(factor)}})
	t := f.addTensor(Tensor{Name: out.Name + ".shift", Shape: []int{}, Const: []float32{0}})
	f.append(Node{Name: n.Name + ".scaled", Op: Affine{}, In: []int{gelu.Out, s, t}, Out: n.Out})
	f.uses[gelu.Out], f.uses[s], f.uses[t] = 1, 1, 1
}

// near allows for constants that were rounded to float32 or typed in by hand.
func near(a, b float64) bool { return math.Abs(a-b) <= 1e-6*math.Abs(b) }
