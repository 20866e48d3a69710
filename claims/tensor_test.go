package claims

import (
	"math/rand/v2"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

func randomTensor(rng *rand.Rand) *Tensor {
	shape := make([]int, rng.IntN(4))
	for a := range shape {
		shape[a] = 1 + rng.IntN(11)
	}
	return NewTensor(shape...)
}

// TestLayout: every element has a cell of its own, blocks are aligned, and nothing is wasted from an aligned
// start.
func TestLayout(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		var tensors []*Tensor
		total := 0
		for range 1 + rng.IntN(4) {
			x := randomTensor(rng)
			tensors = append(tensors, x)
			total += x.Len()
		}
		if end := Place(1<<12, tensors...); end != 1<<12+total {
			t.Fatalf("%d elements end at %d", total, end-1<<12)
		}
		seen := map[int]bool{}
		for _, x := range tensors {
			elements := make([]bool, x.Len())
			x.Each(func(element, cell int) {
				if seen[cell] || elements[element] {
					t.Fatalf("%v: cell %d or element %d twice", x.Shape, cell, element)
				}
				seen[cell], elements[element] = true, true
			})
			for i := range x.Blocks {
				if b := &x.Blocks[i]; b.Offset&(1<<b.Bits()-1) != 0 {
					t.Errorf("%v: block of 2^%d at %d", x.Shape, b.Bits(), b.Offset)
				}
			}
		}
	}
	x := NewTensor(4)
	if end := Place(3, x); x.Blocks[0].Offset != 4 || end != 8 {
		t.Errorf("four elements from 3 stand at %d to %d", x.Blocks[0].Offset, end)
	}
}

// TestTensorProduct: the functional of a product of vectors is what the sum over all elements says.
func TestTensorProduct(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 60 {
		x := randomTensor(rng)
		end := Place(0, NewTensor(5), x)
		z := random(end)
		var vectors [][]fr.Element
		for _, n := range x.Shape {
			vectors = append(vectors, random(n))
		}
		coefficient := random(1)[0]
		var want fr.Element
		x.Each(func(element, cell int) {
			v := coefficient
			for a := len(x.Shape) - 1; a >= 0; a-- {
				v.Mul(&v, &vectors[a][element%x.Shape[a]])
				element /= x.Shape[a]
			}
			want.Add(&want, v.Mul(&v, &z[cell]))
		})
		var got fr.Element
		for _, b := range blocksOf(productWeights(coefficient, x.Shape, vectors...), x) {
			v := b.of(cells(z))
			got.Add(&got, &v)
		}
		if !got.Equal(&want) {
			t.Fatalf("%v: %s, want %s", x.Shape, got.String(), want.String())
		}
	}
}

// TestBlockWeights: eq of a point on all blocks of a placed tensor is the point's eq table at its cells, as one factor a
// block and by axes.
func TestBlockWeights(t *testing.T) {
	x := NewTensor(4, 6, 2)
	Place(0, NewTensor(16), x)
	point := random(6)
	eq := EqTable(point)
	n := &Network{Tensors: []Committed{{Tensor: x}}}
	var direct Form
	n.into(&direct).addView(&View{}, fr.One(), blockWeights(x, newCoordinates(point)))
	for i, w := range blockWeights(x, newCoordinates(point)) {
		for _, blocks := range [][]Block{direct.cells[i : i+1], blocksOf(w, x)} {
			for _, b := range blocks {
				for k := range 1 << b.Bits() {
					got := b.of(func(cell int) (v fr.Element) {
						if cell == b.Offset+k {
							v.SetOne()
						}
						return v
					})
					if !got.Equal(&eq[b.Offset+k]) {
						t.Fatalf("block %d: cell %d", i, k)
					}
				}
				if b.Offset != x.Blocks[i].Offset || b.Bits() != x.Blocks[i].Bits() {
					t.Errorf("block %d: a functional on 2^%d cells at %d", i, b.Bits(), b.Offset)
				}
			}
		}
	}
}

// productWeights is a product of one vector an axis, with as many elements as the axis.
func productWeights(coefficient fr.Element, shape []int, vectors ...[]fr.Element) Weights {
	var dense []vector
	for _, v := range vectors {
		dense = append(dense, denseVector(v))
	}
	w := weightsOf(shape, dense)
	w.Coefficient = coefficient
	return w
}

func blocksOf(w Weights, x *Tensor) []Block {
	var f Form
	w.addTo(&f, x)
	return f.cells
}
