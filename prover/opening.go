package prover

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkinfer/zkinfer/internal/envelope"
	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/verifier"
	"github.com/zkinfer/zkinfer/verifier/artifact"
)

// Privacy says who may recompute a model commitment.
type Privacy int

const (
	// Private commitments are salted: they reveal nothing about the weights.
	Private Privacy = iota
	// Public commitments have salt zero: whoever has the weights recomputes them.
	Public
)

// ModelOpening is a model commitment with what its owner keeps: a salt for each of its points. The weights
// are the model's.
type ModelOpening struct {
	Commitment verifier.Commitment
	Salts      []fr.Element
	Key        [32]byte // digest of the verifying key it was made for
	Parameters [32]byte // digest of the weights
}

// CheckFor errs (ErrKeyMismatch) unless the opening was made for this key and the weights of g.
func (o *ModelOpening) CheckFor(key verifier.Key, g *model.Graph) error {
	if o.Key != key.Digest() {
		return fmt.Errorf("%w: the model commitment was made for other keys; run commit again", ErrKeyMismatch)
	}
	if o.Parameters != g.ParameterDigest() {
		return fmt.Errorf("%w: model %q has other weights than the model commitment was made for; run commit for it, and give verifiers the new commitment", ErrKeyMismatch, g.Name)
	}
	return nil
}

// secretFile is the stored form of an opening: what the owner of a model commitment keeps.
type secretFile struct {
	Key        []byte   `cbor:"key"`
	Parameters []byte   `cbor:"parameters"`
	Salts      [][]byte `cbor:"salts"`
}

// SaveOpening writes a model commitment and its secret salts to the key folder, with what the
// integers of g mean.
func SaveOpening(dir string, force bool, g *model.Graph, o *ModelOpening, privacy Privacy) error {
	f := &artifact.ModelCommitment{
		Commitment: o.Commitment, Key: o.Key, Public: privacy == Public,
		Inputs: meanings(g, g.Inputs), Outputs: meanings(g, g.Outputs),
		PixelScale: g.Source.PixelScale, PixelMean: g.Source.PixelMean,
	}
	secret := secretFile{Key: o.Key[:], Parameters: o.Parameters[:]}
	for _, s := range o.Salts {
		secret.Salts = append(secret.Salts, s.Marshal())
	}
	payload, err := envelope.Marshal(secret)
	if err != nil {
		return err
	}
	err = envelope.WriteSecretFile(filepath.Join(dir, SecretFile), force, func(w io.Writer) error {
		_, err := w.Write(envelope.Encode(KindSecret, 1, payload))
		return err
	})
	if err != nil {
		return err
	}
	return artifact.WriteModelCommitment(filepath.Join(dir, ModelFile), force, f)
}

func meanings(g *model.Graph, ids []model.TensorID) []artifact.Meaning {
	out := make([]artifact.Meaning, len(ids))
	for i, id := range ids {
		out[i] = artifact.Meaning{Scale: g.Tensors[id].Scale, Zero: g.Tensors[id].Zero}
	}
	return out
}

// OpenOpening reads what SaveOpening wrote.
func OpenOpening(dir string) (*ModelOpening, error) {
	f, err := artifact.ReadModelCommitment(filepath.Join(dir, ModelFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w; run commit first", err)
	}
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, SecretFile)
	v, payload, err := envelope.ReadFile(path, KindSecret, MaxSecret)
	if err != nil {
		return nil, err
	}
	if err := envelope.CheckVersion(KindSecret, v, 1); err != nil {
		return nil, err
	}
	var s secretFile
	if err := envelope.Unmarshal(payload, &s); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	o := &ModelOpening{Commitment: f.Commitment, Key: f.Key}
	if len(s.Parameters) != len(o.Parameters) {
		return nil, fmt.Errorf("%w: %s: digest of %d bytes, expected 32", ErrMalformedKeys, path, len(s.Parameters))
	}
	o.Parameters = [32]byte(s.Parameters)
	if len(s.Salts) != f.Commitment.Points() || string(s.Key) != string(f.Key[:]) {
		return nil, fmt.Errorf("%w: %s belongs to another model commitment; run commit again", ErrKeyMismatch, path)
	}
	for _, b := range s.Salts {
		var e fr.Element
		if err := e.SetBytesCanonical(b); err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrMalformedKeys, path, err)
		}
		o.Salts = append(o.Salts, e)
	}
	return o, nil
}
