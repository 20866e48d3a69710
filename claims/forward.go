package claims

// Forward applies steps to a tensor's elements, row-major: what a View means. add is the sum of two elements; their
// zero value is 0. The shapes were checked.
func Forward[T any](steps []Step, shape []int, values []T, add func(a, b T) T) []T {
	for i := range steps {
		next, err := steps[i].Apply(shape)
		if err != nil {
			panic(err)
		}
		values = forward(&steps[i], shape, next, values, add)
		shape = next
	}
	return values
}

func forward[T any](s *Step, shape, next []int, values []T, add func(a, b T) T) []T {
	switch {
	case s.Permute != nil:
		return permute(s.Permute, shape, next, values)
	case s.Window != nil:
		w := s.Window
		return alongAxis(w.Axis, shape, next, values, func(o int, visit func(source int)) {
			for t := range w.Kernel {
				visit(o*w.Stride + t*w.Dilation - w.Pad)
			}
		}, add)
	case s.Select != nil:
		return alongAxis(s.Select.Axis, shape, next, values, func(o int, visit func(source int)) { visit(s.Select.Indices[o]) }, add)
	}
	return values
}

func permute[T any](perm, shape, next []int, values []T) []T {
	stride := make([]int, len(shape)) // of the source, by axis
	for a, step := len(shape)-1, 1; a >= 0; a-- {
		stride[a] = step
		step *= shape[a]
	}
	out := make([]T, len(values))
	index, at := make([]int, len(next)), 0
	for i := range out {
		out[i] = values[at]
		for a := len(next) - 1; a >= 0; a-- {
			index[a]++
			at += stride[perm[a]]
			if index[a] < next[a] {
				break
			}
			at -= index[a] * stride[perm[a]]
			index[a] = 0
		}
	}
	return out
}

// alongAxis adds up the source elements that reads lists for an element, those that exist.
func alongAxis[T any](axis int, shape, next []int, values []T, reads func(o int, visit func(source int)), add func(a, b T) T) []T {
	outer, inner := volume(shape[:axis]), volume(shape[axis+1:])
	out := make([]T, volume(next))
	var first, more []move // one of each element, and the others
	for o := range next[axis] {
		n := len(first)
		reads(o, func(source int) {
			if source < 0 || source >= shape[axis] {
				return
			}
			if m := (move{o, source}); len(first) == n {
				first = append(first, m)
			} else {
				more = append(more, m)
			}
		})
	}
	for k := range outer {
		to, from := out[k*next[axis]*inner:][:next[axis]*inner], values[k*shape[axis]*inner:][:shape[axis]*inner]
		if inner == 1 {
			for _, m := range first {
				to[m.to] = from[m.from]
			}
		} else {
			for _, m := range first {
				copy(to[m.to*inner:][:inner], from[m.from*inner:])
			}
		}
		for _, m := range more {
			sum := to[m.to*inner:][:inner]
			for i, v := range from[m.from*inner:][:inner] {
				sum[i] = add(sum[i], v)
			}
		}
	}
	return out
}

// move is that of an element along an axis.
type move struct{ to, from int }
