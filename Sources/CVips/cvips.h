// libvips for Swift, which cannot call variadic functions.
//
// Every function returns 0, or -1 with the reason in vips_error_buffer(), which all threads share. The caller releases
// returned buffers with g_free. Images are 8-bit gray (1 channel) or sRGB (3), interleaved, row by row.

#ifndef CVIPS_H
#define CVIPS_H

#include <vips/vips.h>

// Larger images are refused before decoding, so that a file of a few kilobytes cannot take gigabytes of memory.
enum { CVIPS_MAX_SIDE = 16384, CVIPS_MAX_PIXELS = 1 << 26, CVIPS_TOO_LARGE = 1, CVIPS_OPAQUE = 2,
  CVIPS_UNTRUSTED = 3 };

static inline void cvips_ignore_log(
  const gchar *domain, GLogLevelFlags level, const gchar *message, gpointer data) {
  (void)domain, (void)level, (void)message, (void)data;
}

// Initializes libvips; call once, before anything else.
//
// One thread and no operation cache: images are small, the cores belong to libtorch, and a cached operation would keep
// pointers to pixels that Swift owns. Loaders that libvips marks as untrusted stay off. Warnings about broken files
// repeat the error, so they are not printed.
static inline int cvips_init(void) {
  if (vips_init("ddn")) return -1;
  vips_concurrency_set(1);
  vips_cache_set_max(0);
  vips_block_untrusted_set(TRUE);
  // The decoders of portable pixmaps and JPEG 2000 are fuzzed with libvips. What stays blocked (BMP, TGA and a hundred
  // others) goes through ImageMagick.
  vips_operation_block_set("VipsForeignLoadPpm", FALSE);
  vips_operation_block_set("VipsForeignLoadJp2k", FALSE);
  // Pictures of our own are encoded as JPEG XL and decoded; cvips_decode refuses those of others.
  vips_operation_block_set("VipsForeignSaveJxl", FALSE);
  vips_operation_block_set("VipsForeignLoadJxl", FALSE);
  g_log_set_handler("VIPS", G_LOG_LEVEL_WARNING, cvips_ignore_log, NULL);
  return 0;
}

// Encodes a PNG file; deterministic (no time stamp, no metadata).
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

enum { CVIPS_JPEG, CVIPS_WEBP, CVIPS_AVIF, CVIPS_JPEG_XL };

// Encodes a lossy picture without metadata. `quality` is the format's: Q of JPEG (1...100), WebP (0...100) and AVIF
// (1...100); the distance of JPEG XL (0...15, less is better). `effort` is the format's, unused by JPEG.
static inline int cvips_encode_lossy(
  const unsigned char *pixels, int width, int height, int channels, int format, double quality, int effort, void **bytes,
  size_t *count) {
  VipsImage *image = vips_image_new_from_memory(
    pixels, (size_t)width * height * channels, width, height, channels, VIPS_FORMAT_UCHAR);
  if (!image) return -1;
  image->Type = channels == 1 ? VIPS_INTERPRETATION_B_W : VIPS_INTERPRETATION_sRGB;
  int status = -1;
  switch (format) {
    case CVIPS_JPEG:
      status = vips_jpegsave_buffer(
        image, bytes, count, "Q", (int)quality, "optimize_coding", TRUE, "strip", TRUE, NULL);
      break;
    case CVIPS_WEBP:
      status = vips_webpsave_buffer(
        image, bytes, count, "Q", (int)quality, "effort", effort, "strip", TRUE, NULL);
      break;
    case CVIPS_AVIF:
      status = vips_heifsave_buffer(image, bytes, count, "Q", (int)quality, "effort", effort, "compression",
        VIPS_FOREIGN_HEIF_COMPRESSION_AV1, "strip", TRUE, NULL);
      break;
    case CVIPS_JPEG_XL:
      status = vips_jxlsave_buffer(
        image, bytes, count, "distance", quality, "effort", effort, "strip", TRUE, NULL);
      break;
    default: vips_error("encode", "unknown format %d", format);
  }
  g_object_unref(image);
  return status;
}

// Encodes an endless animation, GIF or lossless WebP. Frames are stacked vertically; each is shown for `delay` ms.
static inline int cvips_encode_animation(
  const unsigned char *pixels, int width, int height, int frames, int channels, int delay, int is_webp, void **bytes,
  size_t *count) {
  VipsImage *image = vips_image_new_from_memory(
    pixels, (size_t)width * height * frames * channels, width, height * frames, channels, VIPS_FORMAT_UCHAR);
  if (!image) return -1;
  image->Type = channels == 1 ? VIPS_INTERPRETATION_B_W : VIPS_INTERPRETATION_sRGB;
  vips_image_set_int(image, "page-height", height);
  vips_image_set_int(image, "loop", 0);
  int *delays = (int *)g_malloc_n(frames, sizeof(int));
  for (int frame = 0; frame < frames; frame++) delays[frame] = delay;
  vips_image_set_array_int(image, "delay", delays, frames);
  g_free(delays);
  int status = is_webp ? vips_webpsave_buffer(image, bytes, count, "lossless", TRUE, NULL)
                       : vips_gifsave_buffer(image, bytes, count, "dither", 0.0, NULL);
  g_object_unref(image);
  return status;
}

// Copies an image's pixels to new memory and releases the image.
//
// Runs in the calling thread: vips_image_write_to_memory wakes a worker thread per image, which costs more than a small
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

// Replaces `image` by the `next` that `step` makes of it.
#define CVIPS_STEP(step)         \
  do {                           \
    VipsImage *next = NULL;      \
    int failed = (step);         \
    g_object_unref(image);       \
    if (failed) return -1;       \
    image = next;                \
  } while (0)

// Scales float samples in [0, 1] to 8 bits, and refuses samples of unknown range; releases `image`.
//
// 16-bit samples of 4095 at most are refused: they are most likely 12-bit and would turn almost black.
static inline int cvips_check_range(VipsImage *image, VipsImage **result) {
  *result = NULL;
  int is_float = image->BandFmt == VIPS_FORMAT_FLOAT || image->BandFmt == VIPS_FORMAT_DOUBLE;
  if (!is_float && image->BandFmt != VIPS_FORMAT_USHORT) {
    vips_error("decode", "%s samples, whose range is not known; save it with 8 or 16 bits",
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
    vips_error("decode", "the largest of its 16-bit samples is %.0f, as if they had 12; save it with 8 bits or scaled to 16", high);
  } else if (!is_finite) {
    vips_error("decode", "its float samples are not all finite; save it with 8 or 16 bits");
  } else if (low < 0 || high > 1) {
    vips_error("decode", "its float samples range from %g to %g, not within [0, 1]; save it with 8 or 16 bits", low, high);
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

// Whether the bytes begin as JPEG XL (ISO/IEC 18181-2): a bare codestream, or the box "JXL " of a container.
static inline int cvips_is_jpeg_xl(const void *bytes, size_t count) {
  return (count >= 2 && !memcmp(bytes, "\xff\x0a", 2)) || (count >= 8 && !memcmp((const char *)bytes + 4, "JXL ", 4));
}

// Opens the bytes of an image file; portable pixmaps need a source, because libvips has no buffer loader for them.
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

// Decodes an image file of any format that libvips reads (PNG, JPEG, WebP, GIF, TIFF, ...) to 8-bit gray or sRGB.
//
// `wanted` is 1 or 3 channels, or 0 for those of the file. EXIF orientation is applied and transparency blended with
// white. Truncated files and samples of unknown range (see cvips_check_range) are errors.
// Returns CVIPS_TOO_LARGE, with width and height set, for an image over the limits above, and CVIPS_UNTRUSTED for JPEG XL
// unless `is_ours`, that is, written by this process: libvips does not trust its decoder with files from strangers.
// (libvips's own block is a setting of the process; lifting it for one file would lift it for those of other threads.)
static inline int cvips_decode(
  const void *bytes, size_t count, int wanted, int is_ours, unsigned char **pixels, int *width, int *height,
  int *channels) {
  if (!is_ours && cvips_is_jpeg_xl(bytes, count)) return CVIPS_UNTRUSTED;
  VipsImage *image = cvips_open(bytes, count, VIPS_ACCESS_SEQUENTIAL);
  // Rotation reads pixels out of file order.
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
    vips_error("decode", "its %d channels are neither gray nor RGB", image->Bands);
    g_object_unref(image);
    return -1;
  }
  return cvips_take_pixels(image, pixels, width, height, channels);
}

// Decodes an image's opacity, 0 to 255. Returns CVIPS_OPAQUE for one without transparency, CVIPS_TOO_LARGE over the
// limits above, CVIPS_UNTRUSTED for JPEG XL.
static inline int cvips_decode_opacity(
  const void *bytes, size_t count, unsigned char **pixels, int *width, int *height) {
  if (cvips_is_jpeg_xl(bytes, count)) return CVIPS_UNTRUSTED;
  VipsImage *image = cvips_open(bytes, count, VIPS_ACCESS_RANDOM);
  if (!image) return -1;
  *width = image->Xsize;
  *height = image->Ysize;
  if (*width > CVIPS_MAX_SIDE || *height > CVIPS_MAX_SIDE || (gint64)*width * *height > CVIPS_MAX_PIXELS) {
    g_object_unref(image);
    return CVIPS_TOO_LARGE;
  }
  if (vips_image_get_orientation(image) > 1) CVIPS_STEP(vips_autorot(image, &next, NULL));
  if (!vips_image_hasalpha(image)) {
    g_object_unref(image);
    return CVIPS_OPAQUE;
  }
  if (image->BandFmt == VIPS_FORMAT_USHORT) CVIPS_STEP(vips_linear1(image, &next, 1.0 / 257, 0, NULL));
  CVIPS_STEP(vips_extract_band(image, &next, image->Bands - 1, NULL));
  if (image->BandFmt != VIPS_FORMAT_UCHAR) CVIPS_STEP(vips_cast_uchar(image, &next, NULL));
  int channels;
  return cvips_take_pixels(image, pixels, width, height, &channels);
}

// The size of an image file, from its header alone.
static inline int cvips_size(const void *bytes, size_t count, int *width, int *height) {
  if (cvips_is_jpeg_xl(bytes, count)) return CVIPS_UNTRUSTED;
  VipsImage *image = cvips_open(bytes, count, VIPS_ACCESS_SEQUENTIAL);
  if (!image) return -1;
  *width = image->Xsize;
  *height = image->Ysize;
  g_object_unref(image);
  return 0;
}

// Converts sRGB to gray as cvips_decode does.
static inline int cvips_gray(const unsigned char *source, int width, int height, unsigned char **pixels) {
  VipsImage *image =
    vips_image_new_from_memory(source, (size_t)width * height * 3, width, height, 3, VIPS_FORMAT_UCHAR);
  if (!image) return -1;
  image->Type = VIPS_INTERPRETATION_sRGB;
  CVIPS_STEP(vips_colourspace(image, &next, VIPS_INTERPRETATION_B_W, NULL));
  int channels;
  return cvips_take_pixels(image, pixels, &width, &height, &channels);
}

// Resizes to exactly width x height: Lanczos-3 to shrink, bicubic to enlarge.
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

// Renders Pango markup as a mask, 0 to 255, cropped to its ink; `top` is the distance from the line's top to the ink.
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
