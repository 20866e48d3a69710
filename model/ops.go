package model

import "fmt"

// Ops is one empty op of every kind: the list from which files are read and documents are made.
func Ops() []Op {
	return []Op{
		&Conv{}, &Dense{}, &Affine{}, &Add{}, &Mul{}, &AvgPool{}, &Mean{},
		&Activation{}, &MaxPool{}, &Softmax{}, &FixedSoftmax{}, &ArgMax{},
		&Reshape{}, &Transpose{}, &Concat{}, &Slice{}, &Pad{}, &Gather{},
	}
}

func newOp(kind string) (Op, error) {
	for _, op := range Ops() {
		if op.Kind() == kind {
			return op, nil
		}
	}
	return nil, fmt.Errorf("%w: unknown op %q", ErrGraph, kind)
}

// tableOf is the op's function table, nil for an op without.
func tableOf(op Op) *Table {
	switch op := op.(type) {
	case Rescaled:
		return &op.Requantization().Table
	case *Activation:
		return &op.Table
	case *Softmax:
		return &op.Exp
	case *FixedSoftmax:
		return &op.Exp
	}
	return nil
}
