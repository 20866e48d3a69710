package samples

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"

	"golang.org/x/image/draw"
)

// maxPixels bounds an image before it is decoded, which allocates up to 8 bytes a pixel.
const maxPixels = 1 << 25

// layout is where channel, row and column stand in an input's shape.
type layout struct {
	channels, height, width int
	channelsLast            bool
	flat                    bool // only height·width is known
}

// layoutOf reads [1, C, H, W] and [1, H, W, C], with or without the leading 1, C being 1 or 3; and
// [H, W]. Everything else is taken as the flat pixels of a grey image.
func layoutOf(shape []int) layout {
	if len(shape) == 4 && shape[0] == 1 {
		shape = shape[1:]
	}
	switch {
	case len(shape) == 3 && isChannels(shape[0]):
		return layout{channels: shape[0], height: shape[1], width: shape[2]}
	case len(shape) == 3 && isChannels(shape[2]):
		return layout{channels: shape[2], height: shape[0], width: shape[1], channelsLast: true}
	case len(shape) == 2 && shape[0] > 1:
		return layout{channels: 1, height: shape[0], width: shape[1]}
	}
	return layout{channels: 1, height: 1, width: volume(shape), flat: true}
}

func isChannels(n int) bool { return n == 1 || n == 3 }

// channel of element i.
func (l layout) channel(i int) int {
	if l.channelsLast {
		return i % l.channels
	}
	return i / (l.height * l.width)
}

// index of a pixel's channel.
func (l layout) index(c, y, x int) int {
	if l.channelsLast {
		return (y*l.width+x)*l.channels + c
	}
	return (c*l.height+y)*l.width + x
}

// scalePixels turns pixels into real values.
func (s *Set) scalePixels(values []float64, shape []int) {
	l := layoutOf(shape)
	for i, v := range values {
		c := l.channel(i)
		values[i] = v*perChannel(s.options.PixelScale, c, 1) - perChannel(s.options.PixelMean, c, 0)
	}
}

func perChannel(v []float64, channel int, otherwise float64) float64 {
	switch len(v) {
	case 0:
		return otherwise
	case 1:
		return v[0]
	}
	return v[channel]
}

// CheckPixels errs (ErrShape) unless scale and mean are empty, one number, or one a channel of the
// only input.
func CheckPixels(inputs []Input, scale, mean []float64) error {
	for _, v := range [][]float64{scale, mean} {
		if len(v) <= 1 {
			continue
		}
		if len(inputs) != 1 {
			return fmt.Errorf("%w: %d pixel factors for a model with %d inputs, expected one number", ErrShape, len(v), len(inputs))
		}
		if l := layoutOf(inputs[0].Shape); len(v) != l.channels {
			return fmt.Errorf("%w: %d pixel factors for input %v, expected one number or one for each of its %d channels", ErrShape, len(v), inputs[0].Shape, l.channels)
		}
	}
	return nil
}

func (s *Set) readImage(b []byte) error {
	if err := s.single(); err != nil {
		return err
	}
	l := layoutOf(s.inputs[0].Shape)
	config, err := decodeConfig(s.Format, b)
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrMalformed, s.Format, err)
	}
	if err := s.checkDimensions(l, config); err != nil {
		return err
	}
	img, err := decodeImage(s.Format, b)
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrMalformed, s.Format, err)
	}
	if l.flat {
		l.height, l.width = config.Height, config.Width
	}
	values := pixelsOf(s.resized(img, l), l)
	s.n = 1
	s.columns = []column{{pixels: true, array: array{
		shape: s.inputs[0].Shape, integers: true, at: func(i int) float64 { return float64(values[i]) },
	}}}
	return nil
}

func (s *Set) checkDimensions(l layout, found image.Config) error {
	switch {
	case found.Width < 1 || found.Height < 1 || found.Width > maxPixels/found.Height:
		return fmt.Errorf("%w: image of %d×%d pixels, expected at most %d in all", ErrTooLarge, found.Width, found.Height, maxPixels)
	case l.flat && found.Width*found.Height == l.width,
		!l.flat && found.Width == l.width && found.Height == l.height:
		return nil
	case l.flat:
		return fmt.Errorf("%w: image of %d×%d pixels, the model's input %v has %d values and no height and width to resize to",
			ErrShape, found.Width, found.Height, s.inputs[0].Shape, l.width)
	case s.options.Resize:
		return nil
	}
	return fmt.Errorf("%w: image of %d×%d pixels (width×height), the model's input %v takes %d×%d; resize it (--resize)",
		ErrShape, found.Width, found.Height, s.inputs[0].Shape, l.width, l.height)
}

func decodeConfig(f Format, b []byte) (image.Config, error) {
	if f == PNG {
		return png.DecodeConfig(bytes.NewReader(b))
	}
	return jpeg.DecodeConfig(bytes.NewReader(b))
}

func decodeImage(f Format, b []byte) (image.Image, error) {
	if f == PNG {
		return png.Decode(bytes.NewReader(b))
	}
	return jpeg.Decode(bytes.NewReader(b))
}

func (s *Set) resized(img image.Image, l layout) image.Image {
	if img.Bounds().Dx() == l.width && img.Bounds().Dy() == l.height {
		return img
	}
	out := image.NewNRGBA(image.Rect(0, 0, l.width, l.height))
	draw.BiLinear.Scale(out, out.Bounds(), img, img.Bounds(), draw.Src, nil)
	return out
}

// pixelsOf are the 8-bit pixels in the layout of the input.
func pixelsOf(img image.Image, l layout) []byte {
	out := make([]byte, l.channels*l.height*l.width)
	origin := img.Bounds().Min
	for y := range l.height {
		for x := range l.width {
			p := color.NRGBAModel.Convert(img.At(origin.X+x, origin.Y+y)).(color.NRGBA)
			if l.channels == 1 {
				out[l.index(0, y, x)] = luma(p)
				continue
			}
			for c, v := range []byte{p.R, p.G, p.B} {
				out[l.index(c, y, x)] = v
			}
		}
	}
	return out
}

// luma is the grey value of a colour (ITU-R BT.601, in the fixed point that image libraries use).
func luma(p color.NRGBA) byte {
	return byte((19595*uint32(p.R) + 38470*uint32(p.G) + 7471*uint32(p.B) + 1<<15) >> 16)
}
