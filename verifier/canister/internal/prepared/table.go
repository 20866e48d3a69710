package prepared

import (
	"encoding/binary"
	"errors"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// tablePoints bounds a table: 128 KiB.
const tablePoints = 2048

// Table is odd multiples P, 3P, 5P, … of fixed points, with which sums of multiples take one addition
// for each window of a scalar: a third of the instructions of a multi-exponentiation that begins with
// the points alone (Straus's method with signed windows, HAC 14.88 and 14.7.1).
type Table struct {
	window    int // bits
	multiples int // of each point, 2^(window-2)
	points    []bn254.G1Affine
}

// errTable: bytes that are no table.
var errTable = errors.New("malformed table")

// windowFor is the widest window, of 3 to 7 bits, for which a table of n points is in bounds.
func windowFor(n int) int {
	w := 7
	for w > 3 && n<<(w-2) > tablePoints {
		w--
	}
	return w
}

// NewTable computes the multiples of points.
func NewTable(points []bn254.G1Affine) *Table {
	w := windowFor(len(points))
	t := &Table{window: w, multiples: 1 << (w - 2)}
	all := make([]bn254.G1Jac, 0, len(points)*t.multiples)
	for i := range points {
		var multiple, double bn254.G1Jac
		multiple.FromAffine(&points[i])
		double.Double(&multiple)
		for range t.multiples {
			all = append(all, multiple)
			multiple.AddAssign(&double)
		}
	}
	t.points = bn254.BatchJacobianToAffineG1(all)
	return t
}

// Len is the number of points that it was made of, Point one of them.
func (t *Table) Len() int { return len(t.points) / t.multiples }

// Point is point i.
func (t *Table) Point(i int) bn254.G1Affine { return t.points[i*t.multiples] }

// Sum is Σ scalarᵢ·Pᵢ.
func (t *Table) Sum(scalars []fr.Element) bn254.G1Affine { return sumOf(part{t, scalars}) }

// part is Σ scalarᵢ·Pᵢ over the points of a table.
type part struct {
	table   *Table
	scalars []fr.Element
}

// sumOf adds parts, which share the doublings.
func sumOf(parts ...part) bn254.G1Affine {
	recoded := make([][][]int8, len(parts))
	for k, p := range parts {
		for i := range p.scalars {
			recoded[k] = append(recoded[k], signedDigits(&p.scalars[i], p.table.window))
		}
	}
	var sum bn254.G1Jac
	for bit := scalarBits; bit >= 0; bit-- {
		sum.DoubleAssign()
		for k, p := range parts {
			for i, digits := range recoded[k] {
				if d := digits[bit]; d != 0 {
					p.table.add(&sum, i, int(d))
				}
			}
		}
	}
	var out bn254.G1Affine
	out.FromJacobian(&sum)
	return out
}

// add adds d times point i, d odd.
func (t *Table) add(sum *bn254.G1Jac, i, d int) {
	if d > 0 {
		sum.AddMixed(&t.points[i*t.multiples+d/2])
		return
	}
	var p bn254.G1Affine
	p.Neg(&t.points[i*t.multiples-d/2])
	sum.AddMixed(&p)
}

// scalarBits is the greatest place of a digit: recoding carries one bit beyond the scalar.
const scalarBits = fr.Bits + 1

// signedDigits are digits d_k, zero or odd and below 2^(w-1) in size, with s = Σ d_k·2^k; of w in
// sequence at most one is not zero.
func signedDigits(s *fr.Element, w int) []int8 {
	words := s.Bits()
	digits := make([]int8, scalarBits+1)
	carry := 0
	for k := 0; k <= scalarBits; {
		if bitsAt(&words, k, 1) == carry {
			k++
			continue
		}
		d := bitsAt(&words, k, w) + carry
		carry = d >> (w - 1)
		digits[k] = int8(d - carry<<w)
		k += w
	}
	return digits
}

// bitsAt is the number in n bits from bit k on; there are zeros beyond the words.
func bitsAt(words *[4]uint64, k, n int) int {
	if k >= 256 {
		return 0
	}
	x := words[k/64] >> (k % 64)
	if k/64 < 3 && k%64 > 0 {
		x |= words[k/64+1] << (64 - k%64)
	}
	return int(x) & (1<<n - 1)
}

// wordsOfPoint is the number of 64-bit words of a point.
const wordsOfPoint = 8

// AppendBinary appends the table as it is in memory, in Montgomery form: reading it back costs no
// arithmetic. It is for a memory that nobody else writes.
func (t *Table) AppendBinary(b []byte) []byte {
	b = binary.LittleEndian.AppendUint32(b, uint32(t.window))
	for i := range t.points {
		for _, coordinate := range [2][4]uint64{t.points[i].X, t.points[i].Y} {
			for _, w := range coordinate {
				b = binary.LittleEndian.AppendUint64(b, w)
			}
		}
	}
	return b
}

// ParseTable reads what AppendBinary wrote. Points are not checked.
func ParseTable(b []byte) (*Table, error) {
	if len(b) < 4 {
		return nil, errTable
	}
	w := int(binary.LittleEndian.Uint32(b))
	b = b[4:]
	if w < 3 || w > 7 || len(b)%(8*wordsOfPoint<<(w-2)) != 0 {
		return nil, errTable
	}
	t := &Table{window: w, multiples: 1 << (w - 2), points: make([]bn254.G1Affine, len(b)/(8*wordsOfPoint))}
	for i := range t.points {
		p := &t.points[i]
		for k := range p.X {
			p.X[k] = binary.LittleEndian.Uint64(b[8*k:])
			p.Y[k] = binary.LittleEndian.Uint64(b[8*(len(p.X)+k):])
		}
		b = b[8*wordsOfPoint:]
	}
	return t, nil
}

// powers are 1, x, x², …
func powers(x fr.Element, n int) []fr.Element {
	out := make([]fr.Element, n)
	p := fr.One()
	for i := range out {
		out[i] = p
		p.Mul(&p, &x)
	}
	return out
}
