package evm

import (
	"bytes"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"text/template"

	"github.com/consensys/gnark-crypto/ecc/bn254"

	"github.com/zkinfer/zkinfer/verifier"
	"github.com/zkinfer/zkinfer/verifier/plonk"
)

// Names of the source files: the verifier that Contract writes, and the Bounty that uses it.
const (
	ContractFile = "ZkInferVerifier.sol"
	BountyFile   = "InferenceBounty.sol"
)

// MaxCode is the greatest size of a contract's code, EIP-170.
const MaxCode = 24576

// ErrTooLarge: the key needs a larger contract than the virtual machine admits.
var ErrTooLarge = errors.New("too large for a contract")

// The templates: Groth16's and PLONK's contracts, and what they have in common.
var (
	//go:embed ZkInferVerifier.sol.tmpl
	groth16Source string
	//go:embed Plonk.sol.tmpl
	plonkSource string
	//go:embed shared.sol.tmpl
	sharedSource string
)

// Bounty is the source of an example: a contract that pays once for each proved inference.
//
//go:embed InferenceBounty.sol
var Bounty []byte

func parsed(source string) *template.Template {
	t := template.Must(template.New(ContractFile).Funcs(template.FuncMap{"g2": g2At}).Parse(sharedSource))
	return template.Must(t.Parse(source))
}

var groth16Contract, plonkContract = parsed(groth16Source), parsed(plonkSource)

// Contract is the source of the verifier for a key, one file that imports nothing. Errors wrap ErrTooLarge,
// ErrNoContract, or verifier.ErrMalformed for a key whose parts do not fit together. Where the key does not hold the model,
// the contract takes it when it is deployed; see Constructor.
func Contract(key verifier.Key) ([]byte, error) {
	if _, err := key.MarshalBinary(); err != nil { // the templates rely on what is checked here
		return nil, err
	}
	var b bytes.Buffer
	var err error
	switch vk := key.(type) {
	case *verifier.VerifyingKey:
		if err := fits(vk); err != nil {
			return nil, err
		}
		err = groth16Contract.Execute(&b, newView(vk))
	case *plonk.VerifyingKey:
		err = plonkContract.Execute(&b, newPlonkView(vk))
	default:
		return nil, noContract(key)
	}
	return b.Bytes(), err
}

// ErrNoContract: a proof system that has none.
var ErrNoContract = errors.New("there is no contract for this proof system")

// Supports errs (ErrNoContract) on keys for which there is no contract.
func Supports(key verifier.Key) error {
	if ProofSize(key) == 0 {
		return noContract(key)
	}
	return nil
}

func noContract(key verifier.Key) error {
	return fmt.Errorf("%w: keys of backend %q; make keys with --backend groth16 or plonk", ErrNoContract, key.Backend())
}

// fits bounds what grows with the key: the code, by what its parts were measured to take at most, and
// the contract that holds the model commitment.
func fits(vk *verifier.VerifyingKey) error {
	const base, point, commitment, tensor = 7900, 90, 420, 330
	inputs := len(vk.K) - len(vk.Commitments) - 1
	size := base + point*inputs + commitment*len(vk.Commitments) + tensor*(len(vk.Inputs)+len(vk.Outputs))
	if size > MaxCode {
		return fmt.Errorf("%w: %d public inputs, %d commitments and %d tensors take about %d bytes of code, at most %d are allowed; make keys with private tensors, or join tensors",
			ErrTooLarge, inputs, len(vk.Commitments), len(vk.Inputs)+len(vk.Outputs), size, MaxCode)
	}
	if most := (MaxCode - 1) / pointBytes; vk.FoldRows > most {
		return fmt.Errorf("%w: the model commitment has %d points, a contract holds %d; make keys with a lower --fold-rows (16 costs least)", ErrTooLarge, vk.FoldRows, most)
	}
	return nil
}

const pointBytes = bn254.SizeOfG1AffineUncompressed

// common is what the templates show of any key.
type common struct {
	Name, Key, Setup      string
	Private               bool
	Bounded               bool // some tensor is
	HoldsModel            bool // the contract is for one model, whoever deploys it
	Inputs, Outputs       []tensorView
	InputSide, OutputSide sideView
	MaxContext            int
}

func newCommon(vk verifier.Key) common {
	d, about := vk.Describe(), vk.Fixed()
	// Names are anybody's: quoted in ASCII they stay within their comment.
	v := common{Name: strconv.QuoteToASCII(d.Name), Setup: strconv.QuoteToASCII(d.TrustedSetup), Key: hexDigest(vk.Digest()), MaxContext: maxContext}
	v.addTensors(about)
	return v
}

// view is what the template of Groth16 shows of a key.
type view struct {
	common
	N, Rows, RowBytes, RowWords int

	ProofBytes, ProofWords, PoKWord, DeltaWord int

	ModelH                     g1View
	Objects                    []objectView
	Folded                     []packedView // from the last tensor to the first
	FoldBase                   g1View
	K0, KS                     g1View
	Packed                     []packedView
	KChallenges                []pointView
	Alpha                      g1View
	Beta, Gamma, Delta, G      g2View
	Knowledge                  []knowledgeView
	PairingWords, PairingBytes int
	PoKPair, PoKPairG2         int
}

type sideView struct {
	Function, Names string
	Tensors         []tensorView
}

type tensorView struct {
	Index, Len, Width, Bytes int
	Side, Name, Shape, Type  string
	Tag, Bound, Lanes        string
	Min, Max                 int64 // Max is that of an element minus Min
	Committed, Bounded       bool
}

// objectView is a commitment to a private tensor.
type objectView struct {
	K, Tensor, DeltaWord int
	Side, What, Mismatch string
	H                    g1View
}

// packedView is a public tensor: each piece of Step bytes is one field element.
type packedView struct {
	Side         string
	Tensor, Step int
	Points       string // of the public inputs, in hexadecimal, one after another
}

// pointView is a point of K with the place of what it is multiplied with.
type pointView struct {
	g1View
	At int
}

// knowledgeView is a commitment's part of the proof of knowledge.
type knowledgeView struct {
	Word, Pair, PairG2 int
	Sigma              g2View
	Last               bool
}

func newView(vk *verifier.VerifyingKey) *view {
	n := len(vk.Commitments)
	v := &view{
		common: newCommon(vk),
		N:      n, Rows: vk.FoldRows, RowBytes: pointBytes * vk.FoldRows, RowWords: 2 * vk.FoldRows,
		ProofBytes: ProofSize(vk), ProofWords: ProofSize(vk) / word, PoKWord: 8 + 2*n, DeltaWord: 10 + 2*n,
		ModelH: g1(&vk.Commitments[1].H), FoldBase: g1(&vk.Commitments[1].Base), K0: g1(&vk.K[0]), KS: g1(&vk.K[1]),
		Alpha: g1(&vk.Alpha), Beta: g2(&vk.Beta), Gamma: g2(&vk.Gamma), Delta: g2(&vk.Delta), G: g2(&vk.Commitments[0].G),
		PairingWords: 6 * (5 + n), PairingBytes: 6 * (5 + n) * word, PoKPair: 24, PoKPairG2: 26,
	}
	v.addObjects(vk)
	v.addPublic(vk)
	for k := range vk.Commitments {
		v.Knowledge = append(v.Knowledge, knowledgeView{Word: 8 + 2*k, Pair: 30 + 6*k, PairG2: 32 + 6*k,
			Sigma: g2(&vk.Commitments[k].GSigmaNeg), Last: k == n-1})
	}
	return v
}

func (v *common) addTensors(about *verifier.Subject) {
	for i := range about.Inputs {
		v.Inputs = append(v.Inputs, newTensor("input", i, &about.Inputs[i]))
	}
	for i := range about.Outputs {
		v.Outputs = append(v.Outputs, newTensor("output", i, &about.Outputs[i]))
	}
	v.InputSide, v.OutputSide = sideView{"Inputs", "inputs", v.Inputs}, sideView{"Outputs", "outputs", v.Outputs}
	for _, side := range [][]tensorView{v.Inputs, v.Outputs} {
		for _, t := range side {
			v.Private = v.Private || t.Committed
			v.Bounded = v.Bounded || t.Bounded
		}
	}
}

// bounds and tags of the bindings.
var bounds = map[verifier.Binding]struct{ tag, bound string }{
	verifier.BindingPacked:    {"zkinfer/v1/public", "public"},
	verifier.BindingFolded:    {"zkinfer/v1/fold", "public, by its fold"},
	verifier.BindingCommitted: {"zkinfer/v1/committed", "private"},
}

func newTensor(side string, i int, t *verifier.TensorSpec) tensorView {
	b := bounds[t.Binding]
	v := tensorView{Index: i, Len: t.Len(), Width: t.Width(), Bytes: tensorBytes(t), Side: side, Name: strconv.QuoteToASCII(t.Name),
		Shape: fmt.Sprint(t.Shape), Type: t.Type, Tag: b.tag, Bound: b.bound, Lanes: lanes(t.Width()), Min: t.Min, Max: t.Max - t.Min,
		Committed: t.Binding == verifier.BindingCommitted}
	v.Bounded = !v.Committed && v.Max < 1<<(8*v.Width)-1
	return v
}

func (v *view) addObjects(vk *verifier.VerifyingKey) {
	mismatch := map[verifier.Role]string{
		verifier.RoleInput:  "another input than the committed one",
		verifier.RoleOutput: "another output than the committed one",
	}
	for k := 2; k < len(vk.Commitments); k++ {
		c := &vk.Commitments[k]
		t, side := sideOf(c.IsOutput, v)
		v.Objects = append(v.Objects, objectView{K: k, Tensor: c.Tensor, DeltaWord: v.DeltaWord + k - 1, Side: side, Mismatch: mismatch[c.Role],
			What: t[c.Tensor].Side + " " + strconv.Itoa(c.Tensor) + ", " + t[c.Tensor].Bound, H: g1(&c.H)})
	}
}

// lanes is a one in each lane of two elements.
func lanes(width int) string {
	n := new(big.Int)
	for k := 0; k+1 < word/width; k += 2 {
		n.SetBit(n, 8*width*k, 1)
	}
	return fmt.Sprintf("%#x", n)
}

func sideOf(output bool, v *view) (tensors []tensorView, name string) {
	if output {
		return v.Outputs, "outputs"
	}
	return v.Inputs, "inputs"
}

// addPublic hands out the points of K: constant, S, packed tensors in order, challenges. Those that no
// constraint mentions, such as the last, are at infinity and left out.
func (v *view) addPublic(vk *verifier.VerifyingKey) {
	k := 2
	for _, side := range []struct {
		name  string
		specs []verifier.TensorSpec
	}{{"inputs", vk.Inputs}, {"outputs", vk.Outputs}} {
		for i := range side.specs {
			t := &side.specs[i]
			p := packedView{Side: side.name, Tensor: i, Step: 31 / t.Width() * t.Width()}
			switch t.Binding {
			case verifier.BindingFolded:
				v.Folded = slices.Insert(v.Folded, 0, p)
			case verifier.BindingPacked:
				for at := 0; at < tensorBytes(t); at += p.Step {
					point := vk.K[k].RawBytes()
					p.Points += hex.EncodeToString(point[:])
					k++
				}
				v.Packed = append(v.Packed, p)
			}
		}
	}
	for i := range vk.Commitments {
		if p := g1(&vk.K[k+i]); !p.Infinity {
			v.KChallenges = append(v.KChallenges, pointView{p, i})
		}
	}
}

// g1View and g2View are points as Solidity's literals.
type g1View struct {
	X, Y     string
	Infinity bool
}

type g2View struct{ X0, X1, Y0, Y1 string }

func g1(p *bn254.G1Affine) g1View {
	b := p.RawBytes()
	return g1View{literal(b[:32]), literal(b[32:]), p.IsInfinity()}
}

func g2(p *bn254.G2Affine) g2View {
	b := p.RawBytes() // the imaginary part comes first, as it does in the pairing's call
	return g2View{X1: literal(b[:32]), X0: literal(b[32:64]), Y1: literal(b[64:96]), Y0: literal(b[96:])}
}

func literal(b []byte) string { return "0x" + hex.EncodeToString(b) }

func hexDigest(d [32]byte) string { return literal(d[:]) }

// placed is a point of G2 at a place of the pairing's call.
type placed struct {
	At    int
	Point g2View
}

// At1 to At3 are the places after the first.
func (p placed) At1() int { return p.At + 1 }

// At2 is the third place.
func (p placed) At2() int { return p.At + 2 }

// At3 is the last place.
func (p placed) At3() int { return p.At + 3 }

func g2At(at int, p g2View) placed { return placed{at, p} }
