package test

import (
	"fmt"
	"testing"

	"github.com/aviate-labs/agent-go/candid"
	"github.com/aviate-labs/agent-go/candid/idl"

	"github.com/zkinfer/zkinfer/verifier"
)

// Messages of the tests are written and read by another implementation of Candid than the canister's.

type fields = map[string]idl.Type

var (
	blobType    = idl.NewVectorType(idl.Nat8Type())
	tensorType  = idl.NewVariantType(fields{"values": idl.NewVectorType(idl.Int32Type()), "commitment": blobType})
	tensorsType = idl.NewVectorType(tensorType)
	claimType   = idl.NewRecordType(fields{"model": idl.NewOptionalType(blobType), "inputs": tensorsType, "outputs": tensorsType, "context": blobType, "proof": blobType})
	proofType   = idl.NewVariantType(fields{"claim": claimType, "file": blobType})
	openType    = idl.NewRecordType(fields{"model": idl.NewOptionalType(blobType), "inputs": tensorsType, "context": blobType})
	accessType  = idl.NewVariantType(fields{"controllers": new(idl.NullType), "anyone": new(idl.NullType)})
	setupType   = idl.NewRecordType(fields{"key": blobType, "model": blobType, "access": idl.NewOptionalType(accessType)})
)

func encoded(t testing.TB, typ idl.Type, value any) []byte {
	t.Helper()
	b, err := candid.Encode([]idl.Type{typ}, []any{value})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func nothing(t testing.TB) []byte {
	t.Helper()
	b, err := candid.Encode(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func blobMessage(t testing.TB, b []byte) []byte { return encoded(t, blobType, b) }

func fileMessage(t testing.TB, file []byte) []byte {
	return encoded(t, proofType, idl.Variant{Name: "file", Value: file, Type: proofType})
}

func tensorValues(values []verifier.TensorValue) []any {
	out := make([]any, len(values))
	for i, v := range values {
		if v.Commitment != nil {
			out[i] = idl.Variant{Name: "commitment", Value: v.CommitmentBytes(), Type: tensorType}
			continue
		}
		ints := make([]any, len(v.Values))
		for k, x := range v.Values {
			ints[k] = int32(x)
		}
		out[i] = idl.Variant{Name: "values", Value: ints, Type: tensorType}
	}
	return out
}

// claimMessage is a bundle as a claim; the model is left out if it is nil.
func claimMessage(t testing.TB, b *verifier.Bundle, model any) []byte {
	return encoded(t, proofType, idl.Variant{Name: "claim", Type: proofType, Value: map[string]any{"model": model,
		"inputs": tensorValues(b.Statement.Inputs), "outputs": tensorValues(b.Statement.Outputs),
		"context": b.Statement.Context, "proof": b.Proof}})
}

func openMessage(t testing.TB, b *verifier.Bundle) []byte {
	return encoded(t, openType, map[string]any{"model": b.Model[:], "inputs": tensorValues(b.Statement.Inputs), "context": b.Statement.Context})
}

func setupMessage(t testing.TB, vk verifier.Key, m verifier.Commitment, access string) []byte {
	t.Helper()
	return encoded(t, idl.NewOptionalType(setupType), setupValue(t, vk, m, access))
}

func setupValue(t testing.TB, vk verifier.Key, m verifier.Commitment, access string) map[string]any {
	t.Helper()
	key, err := vk.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	model, err := m.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return map[string]any{"key": key, "model": model, "access": idl.Variant{Name: access, Value: idl.Null{}, Type: accessType}}
}

// decoded is the only value of a message.
func decoded(t testing.TB, b []byte) any {
	t.Helper()
	_, values, err := candid.Decode(b)
	if err != nil || len(values) != 1 {
		t.Fatalf("%d values, %v in %q", len(values), err, b)
	}
	return values[0]
}

// at follows names of fields and cases, and numbers of elements, into a value; nil where the path ends.
func at(v any, path ...any) any {
	for _, step := range path {
		switch x := v.(type) {
		case map[string]any:
			v = x[idl.HashString(step.(string))]
		case *idl.Variant:
			if x.Name != idl.HashString(step.(string)) {
				return nil
			}
			v = x.Value
		case []any:
			v = x[step.(int)]
		default:
			return nil
		}
	}
	return v
}

// bytesAt is a blob at the end of a path.
func bytesAt(t testing.TB, v any, path ...any) []byte {
	t.Helper()
	list, ok := at(v, path...).([]any)
	if !ok {
		t.Fatalf("no blob at %v of %v", path, v)
	}
	out := make([]byte, len(list))
	for i, x := range list {
		out[i] = x.(uint8)
	}
	return out
}

// errorClasses are the cases of Error.
var errorClasses = []string{"malformed_proof", "malformed_key", "unsupported_version", "wrong_kind", "rejected", "key_mismatch", "bad_statement",
	"unknown_task", "task_exists", "already_settled", "not_authorized"}

// class is the error in an answer, "" for ok.
func class(t testing.TB, answer []byte) string {
	t.Helper()
	v := decoded(t, answer).(*idl.Variant)
	if v.Name == idl.HashString("ok") {
		return ""
	}
	for _, c := range errorClasses {
		if at(v, "err", c) != nil {
			return c
		}
	}
	return fmt.Sprint("unknown: ", v.Value)
}
