package ceremony

import (
	"bytes"
	"context"
	"fmt"

	"github.com/consensys/gnark/backend/groth16/bn254/mpcsetup"
	cs "github.com/consensys/gnark/constraint/bn254"
)

// Contribute multiplies the secrets of the present phase by fresh ones, which are forgotten when it
// returns: that is a promise and not a proof. The points before it are decoded but not verified.
func (c *Ceremony) Contribute(ctx context.Context, name string) (*Entry, error) {
	if err := CheckName(name); err != nil {
		return nil, err
	}
	step := StepPhase1
	if c.Phase() == 2 {
		step = StepPhase2
	}
	if err := c.may(step); err != nil {
		return nil, err
	}
	body, err := await(ctx, func() ([]byte, error) {
		if step == StepPhase1 {
			return c.contribute1(name)
		}
		return c.contribute2(name)
	})
	if err != nil {
		return nil, err
	}
	if err := c.append(ctx, &header{Step: step, Name: name}, body); err != nil {
		return nil, err
	}
	return &c.Entries[len(c.Entries)-1], nil
}

// contribute1 is the next contribution to phase 1. gnark hashes the object's own challenge with its
// points into the challenge of the next: put there, the binding is covered by the proofs of knowledge.
func (c *Ceremony) contribute1(name string) ([]byte, error) {
	p, err := c.lastPhase1()
	if err != nil {
		return nil, err
	}
	p.Challenge = binding(c.last(), name)
	p.Contribute()
	return encode(p)
}

func (c *Ceremony) lastPhase1() (*mpcsetup.Phase1, error) {
	e := &c.Entries[len(c.Entries)-1]
	if e.Step == StepInit {
		return mpcsetup.NewPhase1(uint64(c.Shape.domain())), nil
	}
	body, err := c.body(e)
	if err != nil {
		return nil, err
	}
	return c.Shape.decodePhase1(body)
}

func (c *Ceremony) contribute2(name string) ([]byte, error) {
	e := &c.Entries[len(c.Entries)-1]
	body, err := c.body(e)
	if err != nil {
		return nil, err
	}
	n := challengeSize
	if e.Step == StepCircuit { // the rest of it is for keys
		n, body = 0, body[:c.Shape.phase2(0).bytes()]
	}
	p, err := c.Shape.decodePhase2(body, n)
	if err != nil {
		return nil, err
	}
	p.Challenge = binding(c.last(), name)
	p.Contribute()
	return encode(p)
}

// BeginPhase2 verifies phase 1, ends it with a public random value, and prepares phase 2 for the
// circuit, so that contributors to it need nothing but the transcript.
func (c *Ceremony) BeginPhase2(ctx context.Context, system *cs.R1CS, beacon []byte) error {
	if err := c.may(StepCircuit); err != nil {
		return err
	}
	if err := CheckBeacon(beacon); err != nil {
		return err
	}
	if err := c.CheckCircuit(system); err != nil {
		return err
	}
	r := &replay{ceremony: c, system: system}
	if err := r.phase1(ctx); err != nil {
		return err
	}
	if err := r.seal1(ctx, c.last(), beacon); err != nil {
		return err
	}
	return c.appendCircuit(ctx, r, beacon)
}

// appendCircuit writes what phase 2 begins with.
func (c *Ceremony) appendCircuit(ctx context.Context, r *replay, beacon []byte) error {
	body, err := await(ctx, func() ([]byte, error) { return newCircuit(r.system, r.powers).encode() })
	if err != nil {
		return err
	}
	return c.append(ctx, &header{Step: StepCircuit, Beacon: beacon}, body)
}

// CheckCircuit errs (ErrCircuit) unless the ceremony is for this constraint system.
func (c *Ceremony) CheckCircuit(system *cs.R1CS) error {
	shape, err := ShapeOf(system)
	if err != nil {
		return err
	}
	if digest := CircuitDigest(system); !bytes.Equal(digest[:], c.Circuit) || !shape.equal(&c.Shape) || system.GetNbConstraints() != c.Constraints {
		return fmt.Errorf("%w: the circuit at hand has digest %x, the ceremony's has %x; was it begun by another version, or for another model or size class?", ErrCircuit, digest, c.Circuit)
	}
	return nil
}

// Finish verifies everything, ends phase 2 with a public random value and gives the keys' points. Of
// a finished ceremony it gives them again; beacon is then the same or nil.
func (c *Ceremony) Finish(ctx context.Context, system *cs.R1CS, beacon []byte) (*Outcome, error) {
	if c.step() == StepEnd {
		if beacon != nil && !bytes.Equal(beacon, c.beacon(StepEnd)) {
			return nil, fmt.Errorf("%w: the ceremony is finished with the random value %x", ErrOrder, c.beacon(StepEnd))
		}
		return c.Verify(ctx, system)
	}
	if err := c.may(StepEnd); err != nil {
		return nil, err
	}
	if err := c.freshBeacon(beacon); err != nil {
		return nil, err
	}
	r := &replay{ceremony: c, system: system}
	if err := r.run(ctx); err != nil {
		return nil, err
	}
	before := bytes.Clone(c.last())
	if err := c.append(ctx, &header{Step: StepEnd, Beacon: beacon}, nil); err != nil {
		return nil, err
	}
	return r.seal2(ctx, before, beacon)
}

// importPowers takes phase 1 from a .ptau file and begins phase 2.
func (c *Ceremony) importPowers(ctx context.Context, system *cs.R1CS, path string) error {
	r := &replay{ceremony: c, system: system}
	source, err := await(ctx, func() (s *Source, err error) {
		r.powers, s, err = readPtau(path, c.Shape.Power)
		return s, err
	})
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	body, err := encode(r.powers)
	if err != nil {
		return err
	}
	if err := c.append(ctx, &header{Step: StepPowers, Source: source}, body); err != nil {
		return err
	}
	return c.appendCircuit(ctx, r, nil)
}
