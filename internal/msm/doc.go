// Package msm computes sums of multiples of points of BN254's first group: Pippenger's buckets, filled and summed up by additions in
// affine form that share inversions and use the field's vector instructions.
//
// The promise: MultiExp, CommitRows and CommitElements give what the definition gives, whatever the points (equal ones,
// opposite ones, at infinity) and scalars. Scalars near 0 are cheap, whatever their sign: one addition a digit that is not 0.
//
// Pitfall: the time depends on the scalars. Whoever may measure it learns about them, as with the library's own.
package msm
