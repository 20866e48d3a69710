package estimate

import (
	"math"
	"math/big"
	"math/rand/v2"
	"runtime"
	"slices"
	"time"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/fft"
)

// Cost is a time in seconds: by the clock, all cores working, and of processors.
type Cost struct {
	Wall float64 `json:"wall"`
	CPU  float64 `json:"cpu"`
}

func (c Cost) plus(d Cost) Cost     { return Cost{c.Wall + d.Wall, c.CPU + d.CPU} }
func (c Cost) times(k float64) Cost { return Cost{c.Wall * k, c.CPU * k} }
func total(costs ...Cost) (sum Cost) {
	for _, c := range costs {
		sum = sum.plus(c)
	}
	return sum
}
func (c Cost) per(n int) Cost { return c.times(1 / float64(n)) }

// Curve is what a multi-exponentiation takes for each point, which falls slowly with their number n:
// at a size N, and N^(−Fall) further.
type Curve struct {
	N    int     `json:"n"`
	Each Cost    `json:"each"`
	Fall float64 `json:"fall"`
}

// of is the time of k points among n of one multi-exponentiation.
func (c Curve) of(k, n int) Cost {
	if k <= 0 {
		return Cost{}
	}
	fall := c.Fall
	if n < c.N {
		fall = smallFall
	}
	return c.Each.times(float64(k) * math.Pow(float64(n)/float64(c.N), -fall))
}

// smallFall is the fall below the probe's size, where filling buckets is a greater part.
const smallFall = 0.1

// Rates are what a machine takes for the steps of a proof.
type Rates struct {
	Cores     int   `json:"cores"`
	G1Full    Curve `json:"g1_full"`  // multi-exponentiation, random scalars
	G1Small   Curve `json:"g1_small"` // scalars of 8 bits
	G2Full    Curve `json:"g2_full"`
	G2Small   Curve `json:"g2_small"`
	FFT       Cost  `json:"fft"`    // of an element and a level
	G1Add     Cost  `json:"g1_add"` // addition of an affine point, all cores at it
	G2Add     Cost  `json:"g2_add"`
	FieldMul  Cost  `json:"field_mul"`  // multiplication in the scalar field, on one core
	Pair      Cost  `json:"pair"`       // a pair more in a pairing
	Final     Cost  `json:"final"`      // what a pairing takes whatever its pairs
	ScalarMul Cost  `json:"scalar_mul"` // of a point of G1, full size
}

// Sizes of the probe: large enough for Pippenger's method to behave as on whole circuits.
const (
	probeG1 = 1 << 16
	probeG2 = 1 << 14
	runs    = 3
)

// greatestFall bounds what a busy machine may pass off as the gain of larger sizes; from 2^16 to 2^20
// points it is about that much.
const greatestFall = 0.05

// prober measures with a clock for CPU time.
type prober struct{ cpu func() float64 }

// Probe measures this machine for a few seconds. cpuSeconds tells the processor time of this process so
// far; where it stays 0, as the system does not say, CPU times are 0.
func Probe(cpuSeconds func() float64) (*Rates, error) {
	p := &prober{cpuSeconds}
	r := &Rates{Cores: runtime.GOMAXPROCS(0)}
	g1, g2 := pointsG1(probeG1), pointsG2(probeG2)
	full, small := scalars(probeG1)
	msm1 := func(s []fr.Element) func(n int) error {
		return func(n int) error {
			var sum bn254.G1Affine
			_, err := sum.MultiExp(g1[:n], s[:n], ecc.MultiExpConfig{})
			return err
		}
	}
	msm2 := func(s []fr.Element) func(n int) error {
		return func(n int) error {
			var sum bn254.G2Affine
			_, err := sum.MultiExp(g2[:n], s[:n], ecc.MultiExpConfig{})
			return err
		}
	}
	for _, c := range []struct {
		to  *Curve
		n   int
		msm func(n int) error
	}{
		{&r.G1Full, probeG1, msm1(full)}, {&r.G1Small, probeG1, msm1(small)},
		{&r.G2Full, probeG2, msm2(full)}, {&r.G2Small, probeG2, msm2(small)},
	} {
		var err error
		if *c.to, err = p.curve(c.n, c.msm); err != nil {
			return nil, err
		}
	}
	p.field(r, full)
	p.additions(r, g1, g2)
	r.even()
	return r, p.pairings(r, g1, g2, full)
}

// even gives all steps that use every core the same ratio of wall to CPU time: what others do on the
// machine disturbs the clock of each step differently, and of a whole proof on average.
func (r *Rates) even() {
	parallel := []*Cost{&r.G1Full.Each, &r.G1Small.Each, &r.G2Full.Each, &r.G2Small.Each, &r.G1Add, &r.G2Add}
	counts := []float64{probeG1, probeG1, probeG2, probeG2, probeG1, probeG2}
	var sum Cost
	for i, c := range parallel {
		sum = sum.plus(c.times(counts[i]))
	}
	if sum.CPU == 0 {
		return
	}
	for _, c := range append(parallel, &r.FFT) {
		c.Wall = c.CPU * sum.Wall / sum.CPU
	}
}

// measure is the median of a few runs.
func (p *prober) measure(f func() error) (Cost, error) {
	var wall, cpu []float64
	for range runs {
		start, before := time.Now(), p.cpu()
		if err := f(); err != nil {
			return Cost{}, err
		}
		wall, cpu = append(wall, time.Since(start).Seconds()), append(cpu, p.cpu()-before)
	}
	slices.Sort(wall)
	slices.Sort(cpu)
	return Cost{wall[runs/2], cpu[runs/2]}, nil
}

// curve measures a multi-exponentiation at n points and at a quarter of them.
func (p *prober) curve(n int, msm func(n int) error) (Curve, error) {
	large, err := p.measure(func() error { return msm(n) })
	if err != nil {
		return Curve{}, err
	}
	little, err := p.measure(func() error { return msm(n / 4) })
	if err != nil {
		return Curve{}, err
	}
	few, many := little.CPU, large.CPU
	if many == 0 {
		few, many = little.Wall, large.Wall
	}
	fall := math.Log(few*4/many) / math.Log(4)
	return Curve{N: n, Each: large.per(n), Fall: min(max(fall, 0), greatestFall)}, nil
}

// field measures the FFT and single multiplications.
func (p *prober) field(r *Rates, v []fr.Element) {
	domain := fft.NewDomain(probeG1)
	a := slices.Clone(v)
	// Neither of these can fail.
	once, _ := p.measure(func() error { domain.FFT(a, fft.DIF, fft.OnCoset()); return nil })
	r.FFT = once.per(probeG1 * int(math.Log2(probeG1)))
	const rounds = 16
	product, _ := p.measure(func() error {
		for range rounds {
			for i := range a {
				a[i].Mul(&a[i], &v[i])
			}
		}
		return nil
	})
	r.FieldMul = product.per(rounds * len(a))
}

// additions measures what a setup consists of: additions of affine points, as many at once as there are cores.
func (p *prober) additions(r *Rates, g1 []bn254.G1Affine, g2 []bn254.G2Affine) {
	once, _ := p.measure(func() error {
		onAllCores(r.Cores, func() {
			var sum bn254.G1Jac
			for i := range g1 {
				sum.AddMixed(&g1[i])
			}
		})
		return nil
	})
	r.G1Add = once.per(len(g1) * r.Cores)
	once, _ = p.measure(func() error {
		onAllCores(r.Cores, func() {
			var sum bn254.G2Jac
			for i := range g2 {
				sum.AddMixed(&g2[i])
			}
		})
		return nil
	})
	r.G2Add = once.per(len(g2) * r.Cores)
}

func onAllCores(n int, f func()) {
	done := make(chan struct{})
	for range n {
		go func() { f(); done <- struct{}{} }()
	}
	for range n {
		<-done
	}
}

func (p *prober) pairings(r *Rates, g1 []bn254.G1Affine, g2 []bn254.G2Affine, s []fr.Element) error {
	const few, many, repeats = 2, 8, 8
	pairing := func(n int) (Cost, error) {
		c, err := p.measure(func() error {
			for range repeats {
				if _, err := bn254.Pair(g1[:n], g2[:n]); err != nil {
					return err
				}
			}
			return nil
		})
		return c.per(repeats), err
	}
	two, err := pairing(few)
	if err != nil {
		return err
	}
	eight, err := pairing(many)
	if err != nil {
		return err
	}
	r.Pair = eight.plus(two.times(-1)).per(many - few)
	r.Final = two.plus(r.Pair.times(-few))
	var k big.Int
	s[0].BigInt(&k)
	const multiplications = 64
	once, err := p.measure(func() error {
		for i := range multiplications {
			var q bn254.G1Affine
			q.ScalarMultiplication(&g1[i], &k)
		}
		return nil
	})
	r.ScalarMul = once.per(multiplications)
	return err
}

// scalars are random ones of full size, and of 8 bits.
func scalars(n int) (full, small []fr.Element) {
	source := rand.New(rand.NewPCG(1, 2)) // for timing only
	full, small = make([]fr.Element, n), make([]fr.Element, n)
	for i := range full {
		var b [fr.Bytes]byte
		for k := range b {
			b[k] = byte(source.Uint32())
		}
		full[i].SetBytes(b[:])
		small[i].SetUint64(source.Uint64N(256))
	}
	return full, small
}

func pointsG1(n int) []bn254.G1Affine {
	g, _, _, _ := bn254.Generators()
	sum := g
	points := make([]bn254.G1Jac, n)
	for i := range points {
		sum.AddAssign(&g)
		points[i] = sum
	}
	return bn254.BatchJacobianToAffineG1(points)
}

func pointsG2(n int) []bn254.G2Affine {
	_, g, _, affine := bn254.Generators()
	sum := g
	points := make([]bn254.G2Affine, n)
	for i := range points {
		sum.AddMixed(&affine)
		points[i].FromJacobian(&sum)
	}
	return points
}

// Usual are the rates of two idle cores of a server's processor, for estimates that must not take
// seconds.
func Usual() *Rates {
	const parallel = 0.55 // wall over CPU time of two cores
	all := func(cpu float64) Cost { return Cost{parallel * cpu, cpu} }
	one := func(cpu float64) Cost { return Cost{cpu, cpu} }
	return &Rates{Cores: 2,
		G1Full: Curve{probeG1, all(4.0e-6), greatestFall}, G1Small: Curve{probeG1, all(3.4e-7), greatestFall},
		G2Full: Curve{probeG2, all(9.6e-6), greatestFall}, G2Small: Curve{probeG2, all(6.2e-7), greatestFall},
		FFT: all(8.5e-9), G1Add: all(2.5e-7), G2Add: all(4.9e-7), FieldMul: one(1.3e-8),
		Pair: one(1.1e-4), Final: one(2.2e-4), ScalarMul: one(4.7e-5),
	}
}
