package model

import "fmt"

// Pad adds elements before and after along each axis. Mode is "constant" (the integer Value),
// "reflect", "edge" or "wrap".
type Pad struct {
	Before, After []int
	Mode          string
	Value         int64
}

// Kind implements Op.
func (*Pad) Kind() string { return "pad" }

// Infer implements Op.
func (p *Pad) Infer(in []Tensor) (Tensor, error) {
	if err := checkArity(in, 1); err != nil {
		return Tensor{}, err
	}
	x := in[0]
	if n := len(x.Shape); len(p.Before) != n || len(p.After) != n {
		return Tensor{}, fmt.Errorf("%w: padding %v before and %v after, expected one entry for each of %d axes",
			ErrAttribute, p.Before, p.After, n)
	}
	s := span{x.Min, x.Max}
	switch p.Mode {
	case "constant":
		if magnitude(p.Value) > uint64(maxZero) {
			return Tensor{}, fmt.Errorf("%w: value %d, expected at most 2^32 in absolute value", ErrAttribute, p.Value)
		}
		s = s.hull(span{p.Value, p.Value})
	case "reflect", "edge", "wrap":
	default:
		return Tensor{}, fmt.Errorf("%w: mode %q, expected constant, reflect, edge or wrap", ErrAttribute, p.Mode)
	}
	shape := make([]int, len(x.Shape))
	for a, d := range x.Shape {
		before, after := p.Before[a], p.After[a]
		limit := maxElements
		if p.Mode == "reflect" {
			limit = d - 1
		}
		if before < 0 || after < 0 || before > limit || after > limit {
			return Tensor{}, fmt.Errorf("%w: padding %d before and %d after axis %d of %d elements, expected 0 to %d",
				ErrAttribute, before, after, a, d, limit)
		}
		shape[a] = before + d + after
	}
	return inferred(shape, s)
}

// Origins implements Rearrangement.
func (p *Pad) Origins(in []Tensor, out Tensor) []Origin {
	shape := in[0].Shape
	step := strides(shape)
	origins := make([]Origin, 0, out.Len())
	eachIndex(out.Shape, func(at []int) {
		var o Origin
		for a, i := range at {
			j := p.Source(i-p.Before[a], shape[a])
			if j < 0 {
				o = Origin{Input: -1, Value: p.Value}
				break
			}
			o.Index += j * step[a]
		}
		origins = append(origins, o)
	})
	return origins
}

// Source is which of the n elements of an axis stands at position i (0 is the first of them), −1
// for the constant.
func (p *Pad) Source(i, n int) int {
	if i >= 0 && i < n {
		return i
	}
	switch p.Mode {
	case "edge":
		return min(max(i, 0), n-1)
	case "reflect":
		if i < 0 {
			return -i
		}
		return 2*(n-1) - i
	case "wrap":
		return (i%n + n) % n
	}
	return -1
}

// Eval implements Op.
func (p *Pad) Eval(in [][]int64, inT []Tensor, outT Tensor) (out, acc []int64) {
	return rearrange(p, in, inT, outT), nil
}

// Params implements Op.
func (*Pad) Params() []Param { return nil }

// MACs implements Op.
func (*Pad) MACs([]Tensor, Tensor) int64 { return 0 }
