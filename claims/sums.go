package claims

import "github.com/consensys/gnark-crypto/ecc/bn254/fr"

// sums adds functionals of views and of expressions to a form.
type sums struct {
	*Network
	form *Form
	runs map[run]int
}

// run is eq of a point on all blocks of a tensor: neighbours in the form's list of cells, from one on. When it is added again,
// its coefficients are.
type run struct {
	tensor int
	point  *coordinates
}

func (n *Network) into(f *Form) *sums { return &sums{n, f, map[run]int{}} }

// addExpression adds k times the sum of functionals of an expression: all but its contractions.
func (s *sums) addExpression(e *Expression, k fr.Element, functionals []Weights) {
	if e.Shift > 0 {
		inverse := shiftInverse(e.Shift)
		k.Mul(&k, &inverse)
	}
	var v fr.Element
	if e.Constant != 0 {
		sum := onOnes(functionals)
		v.SetInt64(e.Constant).Mul(&v, &k).Mul(&v, &sum)
		s.form.Constant.Add(&s.form.Constant, &v)
	}
	for i := range e.Linear {
		v.SetInt64(e.Linear[i].Coefficient).Mul(&v, &k)
		s.addView(&e.Linear[i].View, v, functionals)
	}
}

// addView adds k times the sum of functionals of a view.
func (s *sums) addView(v *View, k fr.Element, functionals []Weights) {
	if v.Tensor != Ones && len(v.Steps) == 0 && everyBlock(functionals) {
		s.addRun(v.Tensor, k, functionals)
		return
	}
	functionals = s.pulled(v, k, functionals)
	if v.Tensor == Ones {
		sum := onOnes(functionals)
		s.form.Constant.Add(&s.form.Constant, &sum)
		return
	}
	for i := range functionals {
		functionals[i].addTo(s.form, s.Tensors[v.Tensor].Tensor)
	}
}

// everyBlock tells whether functionals are those that blockWeights makes.
func everyBlock(functionals []Weights) bool {
	return functionals[0].whole != nil && len(functionals) == blockCount(functionals[0].Shape)
}

// addRun adds k times eq of a point on a tensor, block by block.
func (s *sums) addRun(tensor int, k fr.Element, functionals []Weights) {
	key := run{tensor, functionals[0].whole}
	first, ok := s.runs[key]
	if !ok {
		first = len(s.form.cells)
		s.runs[key] = first
	}
	var v fr.Element
	for i := range functionals {
		v.Mul(&k, &functionals[i].Coefficient)
		if ok {
			at := &s.form.cells[first+i].Coefficient
			at.Add(at, &v)
			continue
		}
		b := &s.Tensors[tensor].Blocks[i]
		s.form.cells = append(s.form.cells, Block{b.Offset, v, key.point.low(b.Bits())})
	}
}
