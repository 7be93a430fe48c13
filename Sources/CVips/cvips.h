// What Swift needs of libvips and cannot call by itself: variadic functions.
//
// Every function returns 0, or -1 with the reason in vips_error_buffer(), which all threads share. Buffers that a
// function hands out are the caller's, to be released with g_free. Images have 1 channel (gray) or 3 (sRGB) of 8 bits,
// interleaved, row by row.

#ifndef CVIPS_H
#define CVIPS_H

#include <vips/vips.h>

// An image with a longer side, or with more pixels, is refused before any of its pixels are read, so that a file of a
// few kilobytes cannot take gigabytes of memory.
enum { CVIPS_MAX_SIDE = 16384, CVIPS_MAX_PIXELS = 1 << 26, CVIPS_TOO_LARGE = 1 };

static inline void cvips_ignore_log(
  const gchar *domain, GLogLevelFlags level, const gchar *message, gpointer data) {
  (void)domain, (void)level, (void)message, (void)data;
}

// Starts libvips; call once, before anything else.
//
// One thread and no cache of operations: images here are small, the cores belong to libtorch, and a cached operation
// would keep pointers to pixels that Swift owns. Loaders that libvips calls unfit for untrusted files stay off.
// Warnings about broken files are not printed: the error says it.
static inline int cvips_init(void) {
  if (vips_init("ddn")) return -1;
  vips_concurrency_set(1);
  vips_cache_set_max(0);
  vips_block_untrusted_set(TRUE);
  // Portable pixmaps and JPEG 2000 have one decoder each, which is fuzzed with libvips; what is left blocked of pictures goes
  // to ImageMagick: BMP, TGA and a hundred others.
  vips_operation_block_set("VipsForeignLoadPpm", FALSE);
  vips_operation_block_set("VipsForeignLoadJp2k", FALSE);
  g_log_set_handler("VIPS", G_LOG_LEVEL_WARNING, cvips_ignore_log, NULL);
  return 0;
}

// PNG bytes of an image: the same pixels give the same bytes (no time, no metadata).
static inline int cvips_encode_png(
  const unsigned char *pixels, int width, int height, int channels, void **bytes, size_t *count) {
  VipsImage *image = vips_image_new_from_memory(
    pixels, (size_t)width * height * channels, width, height, channels, VIPS_FORMAT_UCHAR);
  if (!image) return -1;
  image->Type = channels == 1 ? VIPS_INTERPRETATION_B_W : VIPS_INTERPRETATION_sRGB;
  int status = vips_pngsave_buffer(
    image, bytes, count, "compression", 6, "filter", VIPS_FOREIGN_PNG_FILTER_NONE, "strip", TRUE, NULL);
  g_object_unref(image);
  return status;
}

// An animation's bytes, GIF or lossless WebP: pictures of one size below one another, each shown for `delay` ms, for ever.
static inline int cvips_encode_animation(
  const unsigned char *pixels, int width, int height, int pictures, int channels, int delay, int is_webp, void **bytes,
  size_t *count) {
  VipsImage *image = vips_image_new_from_memory(
    pixels, (size_t)width * height * pictures * channels, width, height * pictures, channels, VIPS_FORMAT_UCHAR);
  if (!image) return -1;
  image->Type = channels == 1 ? VIPS_INTERPRETATION_B_W : VIPS_INTERPRETATION_sRGB;
  vips_image_set_int(image, "page-height", height);
  vips_image_set_int(image, "loop", 0);
  int *delays = (int *)g_malloc_n(pictures, sizeof(int));
  for (int picture = 0; picture < pictures; picture++) delays[picture] = delay;
  vips_image_set_array_int(image, "delay", delays, pictures);
  g_free(delays);
  int status = is_webp ? vips_webpsave_buffer(image, bytes, count, "lossless", TRUE, NULL)
                       : vips_gifsave_buffer(image, bytes, count, "dither", 0.0, NULL);
  g_object_unref(image);
  return status;
}

// Copies an image's pixels to new memory; takes over the caller's reference to the image.
//
// They are made in the calling thread: libvips's usual way wakes a thread for every image, which costs more than a small
// image does.
static inline int cvips_take_pixels(VipsImage *image, unsigned char **pixels, int *width, int *height, int *channels) {
  VipsRegion *region = vips_region_new(image);
  VipsRect all = {0, 0, image->Xsize, image->Ysize};
  *width = image->Xsize;
  *height = image->Ysize;
  *channels = image->Bands;
  *pixels = NULL;
  if (region && !vips_region_prepare(region, &all)) {
    size_t row = VIPS_REGION_SIZEOF_LINE(region);
    *pixels = (unsigned char *)g_malloc(row * *height);
    for (int y = 0; y < *height; y++) memcpy(*pixels + y * row, VIPS_REGION_ADDR(region, 0, y), row);
  }
  if (region) g_object_unref(region);
  g_object_unref(image);
  return *pixels ? 0 : -1;
}

// Applies `step`, which reads `image` and sets `next`, and leaves the result in `image`.
#define CVIPS_STEP(step)         \
  do {                           \
    VipsImage *next = NULL;      \
    int failed = (step);         \
    g_object_unref(image);       \
    if (failed) return -1;       \
    image = next;                \
  } while (0)

// Makes samples 8-bit whose range is not certain from their type, or refuses them; takes over the caller's reference.
//
// Floats count from 0 (black) to 1 (white). 16-bit samples that would all fit 12 bits are refused: they are most likely
// 12-bit ones, and would become almost black.
static inline int cvips_check_range(VipsImage *image, VipsImage **result) {
  *result = NULL;
  int is_float = image->BandFmt == VIPS_FORMAT_FLOAT || image->BandFmt == VIPS_FORMAT_DOUBLE;
  if (!is_float && image->BandFmt != VIPS_FORMAT_USHORT) {
    vips_error("decode", "its samples are %s, whose range is not known; save it with 8 or 16 bits",
      vips_enum_nick(VIPS_TYPE_BAND_FORMAT, image->BandFmt));
    g_object_unref(image);
    return -1;
  }
  VipsImage *memory = vips_image_copy_memory(image);
  g_object_unref(image);
  if (!memory) return -1;
  double low = 0, high = 0;
  size_t samples = (size_t)memory->Xsize * memory->Ysize * memory->Bands;
  const void *values = VIPS_IMAGE_ADDR(memory, 0, 0);
  int is_finite = 1;
  for (size_t place = 0; place < samples; place++) {
    double value = memory->BandFmt == VIPS_FORMAT_USHORT  ? ((const guint16 *)values)[place]
                   : memory->BandFmt == VIPS_FORMAT_FLOAT ? ((const float *)values)[place]
                                                          : ((const double *)values)[place];
    if (value - value != 0) is_finite = 0;
    if (place == 0 || value < low) low = value;
    if (place == 0 || value > high) high = value;
  }
  if (!is_float) {
    if (high == 0 || high > 4095) {
      *result = memory;
      return 0;
    }
    vips_error("decode", "its 16-bit samples end at %.0f of 65535, as 12-bit ones do; save it with 8 bits, or scaled to 16", high);
  } else if (!is_finite) {
    vips_error("decode", "it has samples that are NaN or infinite");
  } else if (low < 0 || high > 1) {
    vips_error("decode", "its samples are floats from %g to %g, not within 0 to 1; save it with 8 or 16 bits", low, high);
  } else {
    VipsImage *scaled = NULL;
    int failed = vips_linear1(memory, &scaled, 255, 0.5, "uchar", TRUE, NULL);
    g_object_unref(memory);
    if (failed) return -1;
    scaled->Type = scaled->Bands < 3 ? VIPS_INTERPRETATION_B_W : VIPS_INTERPRETATION_sRGB;
    *result = scaled;
    return 0;
  }
  g_object_unref(memory);
  return -1;
}

// Opens the bytes of an image file. libvips reads portable pixmaps from files and streams, not from buffers.
static inline VipsImage *cvips_open(const void *bytes, size_t count, VipsAccess access) {
  const char *start = (const char *)bytes;
  if (count < 2 || start[0] != 'P' || start[1] < '1' || start[1] > '7')
    return vips_image_new_from_buffer(bytes, count, "", "fail_on", VIPS_FAIL_ON_ERROR, "access", access, NULL);
  VipsSource *source = vips_source_new_from_memory(bytes, count);
  if (!source) return NULL;
  VipsImage *image =
    vips_image_new_from_source(source, "", "fail_on", VIPS_FAIL_ON_ERROR, "access", access, NULL);
  g_object_unref(source);
  return image;
}

// Decodes the bytes of an image file of any kind that libvips reads (PNG, JPEG, WebP, GIF, TIFF, ...).
//
// channels is 1 or 3 for that many, 0 for what the file has. The picture is turned as its EXIF data says, transparent
// parts become white, and other colour spaces and depths become 8-bit gray or sRGB. A file that ends early is an error,
// and so are samples whose range is not known (see above).
// Returns CVIPS_TOO_LARGE, with the width and height, for an image over the limits above.
static inline int cvips_decode(
  const void *bytes, size_t count, int wanted, unsigned char **pixels, int *width, int *height, int *channels) {
  VipsImage *image = cvips_open(bytes, count, VIPS_ACCESS_SEQUENTIAL);
  // What is to be turned is needed in another order than the file has it.
  if (image && vips_image_get_orientation(image) > 1) {
    g_object_unref(image);
    image = cvips_open(bytes, count, VIPS_ACCESS_RANDOM);
  }
  if (!image) return -1;
  *width = image->Xsize;
  *height = image->Ysize;
  if (*width > CVIPS_MAX_SIDE || *height > CVIPS_MAX_SIDE || (gint64)*width * *height > CVIPS_MAX_PIXELS) {
    g_object_unref(image);
    return CVIPS_TOO_LARGE;
  }
  if (vips_image_get_orientation(image) > 1) CVIPS_STEP(vips_autorot(image, &next, NULL));
  if (image->BandFmt != VIPS_FORMAT_UCHAR) {
    VipsImage *known;
    if (cvips_check_range(image, &known)) return -1;
    image = known;
    if (image->BandFmt == VIPS_FORMAT_USHORT && image->Type == VIPS_INTERPRETATION_MULTIBAND)
      image->Type = image->Bands < 3 ? VIPS_INTERPRETATION_GREY16 : VIPS_INTERPRETATION_RGB16;
  }
  if (wanted == 0) wanted = image->Bands < 3 ? 1 : 3;
  VipsInterpretation space = wanted == 1 ? VIPS_INTERPRETATION_B_W : VIPS_INTERPRETATION_sRGB;
  if (image->Type != space) CVIPS_STEP(vips_colourspace(image, &next, space, NULL));
  if (vips_image_hasalpha(image)) {
    VipsArrayDouble *white = vips_array_double_newv(1, 255.0);
    VipsImage *next = NULL;
    int failed = vips_flatten(image, &next, "background", white, NULL);
    vips_area_unref(VIPS_AREA(white));
    g_object_unref(image);
    if (failed) return -1;
    image = next;
  }
  if (image->BandFmt != VIPS_FORMAT_UCHAR) CVIPS_STEP(vips_cast_uchar(image, &next, NULL));
  if (image->Bands != wanted) {
    vips_error("decode", "an image of %d channels is neither gray nor RGB", image->Bands);
    g_object_unref(image);
    return -1;
  }
  return cvips_take_pixels(image, pixels, width, height, channels);
}

// Makes an sRGB image gray as cvips_decode does.
static inline int cvips_gray(const unsigned char *source, int width, int height, unsigned char **pixels) {
  VipsImage *image =
    vips_image_new_from_memory(source, (size_t)width * height * 3, width, height, 3, VIPS_FORMAT_UCHAR);
  if (!image) return -1;
  image->Type = VIPS_INTERPRETATION_sRGB;
  CVIPS_STEP(vips_colourspace(image, &next, VIPS_INTERPRETATION_B_W, NULL));
  int channels;
  return cvips_take_pixels(image, pixels, &width, &height, &channels);
}

// Resizes to exactly width x height: Lanczos (3 lobes) where it shrinks, bicubic where it grows.
static inline int cvips_resize(
  const unsigned char *source, int source_width, int source_height, int channels, int width, int height,
  unsigned char **pixels) {
  VipsImage *image = vips_image_new_from_memory(
    source, (size_t)source_width * source_height * channels, source_width, source_height, channels, VIPS_FORMAT_UCHAR);
  if (!image) return -1;
  CVIPS_STEP(vips_resize(image, &next, (double)width / source_width, "vscale", (double)height / source_height,
    "kernel", VIPS_KERNEL_LANCZOS3, NULL));
  if (image->Xsize != width || image->Ysize != height) {
    vips_error("resize", "%d x %d came out instead of %d x %d", image->Xsize, image->Ysize, width, height);
    g_object_unref(image);
    return -1;
  }
  int channels_out;
  return cvips_take_pixels(image, pixels, &width, &height, &channels_out);
}

// Draws Pango markup as a mask, 0 to 255, cropped to its ink; `top` is how far the ink begins below the line's top.
//
// Without any font, Pango draws boxes and reports no error.
static inline int cvips_text(
  const char *markup, const char *font, unsigned char **pixels, int *width, int *height, int *top) {
  VipsImage *image;
  if (vips_text(&image, markup, "font", font, "dpi", 72, NULL)) return -1;
  *top = image->Yoffset;
  int channels;
  return cvips_take_pixels(image, pixels, width, height, &channels);
}

#undef CVIPS_STEP

#endif
