package model

import "slices"

// Activation is any function of one value, by table: a = Table.At(x). The table covers the input's range.
type Activation struct {
	Table Table
}

// Kind implements Op.
func (*Activation) Kind() string { return "activation" }

// Infer implements Op: the output has the input's shape and the table's range over the input's.
func (a *Activation) Infer(in []Tensor) (Tensor, error) {
	if err := checkArity(in, 1); err != nil {
		return Tensor{}, err
	}
	s, err := a.Table.over(in[0].Min, in[0].Max)
	if err != nil {
		return Tensor{}, err
	}
	return inferred(slices.Clone(in[0].Shape), s)
}

// Eval implements Op.
func (a *Activation) Eval(in [][]int64, _ []Tensor, _ Tensor) (out, acc []int64) {
	out = make([]int64, len(in[0]))
	for i, x := range in[0] {
		out[i] = a.Table.At(x)
	}
	return out, nil
}

// Params implements Op.
func (*Activation) Params() []Param { return nil }

// MACs implements Op.
func (*Activation) MACs([]Tensor, Tensor) int64 { return 0 }
