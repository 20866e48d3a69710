package prover

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/backend/groth16"
	groth16bn254 "github.com/consensys/gnark/backend/groth16/bn254"
	cs "github.com/consensys/gnark/constraint/bn254"

	"github.com/zkinfer/zkinfer/internal/envelope"
	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/verifier"
	"github.com/zkinfer/zkinfer/verifier/artifact"
)

// The files of a key folder. A verifier gets VerifyingKeyFile and ModelFile; SecretFile must not
// leave the prover.
const (
	ProvingKeyFile   = "proving.key"
	VerifyingKeyFile = "verifying.key"
	CircuitFile      = "circuit.bin"
	ManifestFile     = "manifest.json"
	ModelFile        = "model.zkc"
	SecretFile       = "model.secret"
)

// KindSecret is the kind of SecretFile.
const KindSecret = "zks "

// Manifest describes a key folder and holds the digests of its large files.
type Manifest struct {
	Version       string          `json:"version"`
	Backend       string          `json:"backend"`
	Curve         string          `json:"curve"`
	Model         string          `json:"model"`
	Architecture  string          `json:"architecture"`
	TrustedSetup  string          `json:"trusted_setup"`
	Ceremony      string          `json:"ceremony,omitempty"` // digest of the transcript, for keys of a ceremony
	Constraints   int             `json:"constraints"`
	PublicInputs  int             `json:"public_inputs"`
	PrivateInput  bool            `json:"private_input"`
	PrivateOutput bool            `json:"private_output"`
	FoldRows      int             `json:"fold_rows"`
	VerifyingKey  string          `json:"verifying_key"`
	Files         map[string]File `json:"files"`
}

// File is one file of a key folder.
type File struct {
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// Save writes the key folder. It appears whole or not at all; an existing one is replaced only with
// force.
func (k *Keys) Save(dir string, force bool) (*Manifest, error) {
	if _, err := os.Lstat(dir); err == nil && !force {
		return nil, fmt.Errorf("%w: %s; use --force to replace it or name another folder", artifact.ErrExists, dir)
	} else if err == nil {
		if _, err := os.Stat(filepath.Join(dir, ManifestFile)); err != nil {
			return nil, fmt.Errorf("%w: %s is no key folder and is not replaced", artifact.ErrExists, dir)
		}
	}
	parent := filepath.Dir(filepath.Clean(dir))
	tmp, err := os.MkdirTemp(parent, ".zkinfer-keys-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp)
	if err := os.Chmod(tmp, 0o755); err != nil {
		return nil, err
	}
	m, err := k.write(tmp)
	if err != nil {
		return nil, err
	}
	return m, replaceDir(tmp, dir)
}

// replaceDir moves tmp to dir; an old dir is removed only when the new one stands.
func replaceDir(tmp, dir string) error {
	old := tmp + ".old"
	if err := os.Rename(dir, old); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Rename(tmp, dir); err != nil {
		os.Rename(old, dir)
		return err
	}
	return os.RemoveAll(old)
}

func (k *Keys) write(dir string) (*Manifest, error) {
	digest := k.Verifying.Digest()
	setup, ceremony := SplitSetup(k.Verifying.Description.TrustedSetup)
	m := &Manifest{
		Version: Version, Backend: verifier.BackendGroth16, Curve: "bn254", Model: k.Verifying.Description.Name,
		Architecture: hex.EncodeToString(k.Verifying.Architecture[:]), TrustedSetup: setup, Ceremony: ceremony,
		Constraints: k.system.GetNbConstraints(), PublicInputs: k.system.GetNbPublicVariables() - 1,
		PrivateInput: k.Options.PrivateInput, PrivateOutput: k.Options.PrivateOutput, FoldRows: k.Options.FoldRows,
		VerifyingKey: hex.EncodeToString(digest[:]), Files: map[string]File{},
	}
	if err := artifact.WriteVerifyingKey(filepath.Join(dir, VerifyingKeyFile), false, k.Verifying); err != nil {
		return nil, err
	}
	for name, write := range map[string]func(io.Writer) error{
		ProvingKeyFile: k.proving.WriteDump,
		CircuitFile:    func(w io.Writer) error { _, err := k.system.WriteTo(w); return err },
	} {
		f, err := writeDigested(filepath.Join(dir, name), write)
		if err != nil {
			return nil, err
		}
		m.Files[name] = f
	}
	return m, envelope.WriteFile(filepath.Join(dir, ManifestFile), false, func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(m)
	})
}

func writeDigested(path string, write func(io.Writer) error) (File, error) {
	h := sha256.New()
	count := &countingWriter{}
	err := envelope.WriteFile(path, false, func(w io.Writer) error { return write(io.MultiWriter(w, h, count)) })
	return File{count.n, hex.EncodeToString(h.Sum(nil))}, err
}

type countingWriter struct{ n int64 }

func (c *countingWriter) Write(b []byte) (int, error) {
	c.n += int64(len(b))
	return len(b), nil
}

// OpenKeys reads a key folder. Large files are checked against the manifest's digests before they are
// decoded: gnark's decoders trust lengths that they read.
func OpenKeys(dir string) (*Keys, *Manifest, error) {
	silenceGnark()
	m, err := readManifest(dir)
	if err != nil {
		return nil, nil, err
	}
	vk, err := artifact.ReadVerifyingKey(filepath.Join(dir, VerifyingKeyFile))
	if err != nil {
		return nil, nil, err
	}
	k := &Keys{
		Verifying: vk,
		Options:   Options{PrivateInput: m.PrivateInput, PrivateOutput: m.PrivateOutput, FoldRows: m.FoldRows},
		proving:   groth16.NewProvingKey(ecc.BN254).(*groth16bn254.ProvingKey),
		system:    groth16.NewCS(ecc.BN254).(*cs.R1CS),
	}
	if digest := vk.Digest(); hex.EncodeToString(digest[:]) != m.VerifyingKey {
		return nil, nil, fmt.Errorf("%w: %s holds another verifying key than its manifest says", ErrMalformedKeys, dir)
	}
	if err := readDigested(dir, ProvingKeyFile, m, k.proving.ReadDump); err != nil {
		return nil, nil, err
	}
	if err := readDigested(dir, CircuitFile, m, func(r io.Reader) error { _, err := k.system.ReadFrom(r); return err }); err != nil {
		return nil, nil, err
	}
	if len(k.proving.CommitmentKeys) != len(vk.Commitments) {
		return nil, nil, fmt.Errorf("%w: the proving key has %d commitments, the verifying key %d", ErrMalformedKeys, len(k.proving.CommitmentKeys), len(vk.Commitments))
	}
	return k, m, refuseInfinity(k.proving)
}

func readManifest(dir string) (*Manifest, error) {
	b, err := readLimited(filepath.Join(dir, ManifestFile), 1<<20)
	if err != nil {
		return nil, fmt.Errorf("reading the key folder: %w", err)
	}
	m := &Manifest{}
	if err := json.Unmarshal(b, m); err != nil {
		return nil, fmt.Errorf("%w: %s in %s: %w", ErrMalformedKeys, ManifestFile, dir, err)
	}
	if m.Version != Version {
		return nil, fmt.Errorf("%w: the keys in %s are of version %q, this program uses %q; run setup again", artifact.ErrUnsupportedVersion, dir, m.Version, Version)
	}
	return m, nil
}

func readLimited(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = fmt.Errorf("%w: %s has more than %d bytes", ErrMalformedKeys, path, limit)
	}
	return b, err
}

func readDigested(dir, name string, m *Manifest, decode func(io.Reader) error) (err error) {
	f, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		return fmt.Errorf("reading the key folder: %w", err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return err
	}
	if hex.EncodeToString(h.Sum(nil)) != m.Files[name].SHA256 {
		return fmt.Errorf("%w: %s does not have the digest that the manifest says; copy the folder again or run setup", ErrMalformedKeys, f.Name())
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	// The bytes are those that were written, unless somebody wrote a manifest for others: gnark's
	// decoders may then panic.
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: %s cannot be decoded: %v", ErrMalformedKeys, f.Name(), r)
		}
	}()
	if err := decode(bufio.NewReaderSize(f, 1<<20)); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrMalformedKeys, f.Name(), err)
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
	v, payload, err := envelope.ReadFile(path, KindSecret, 1<<20)
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
	if len(s.Salts) != len(f.Commitment.Rows) || string(s.Key) != string(f.Key[:]) {
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
