/**
 * The plane shader, in two forms: through a volume (an array of slices) and over a picture.
 *
 * A view shows the finest level it has. Where a part of it (a slice of the volume, a strip of the picture) isn't
 * here yet, the coarser level shows through; where a part is lost, stripes are drawn, never a guess. A slab
 * looks through the volume along its normal: the brightest of its samples, or their mean.
 *
 * Most of the time all is here. Then the masks needn't be asked and there is no coarser level to look at, which a small
 * graphics card (or a processor that stands in for one) feels at each pixel: see KIND.
 *
 * Other shaders through a volume (panorama, 3D) begin with VOLUME_HEAD and sum with `add` and `result`, so that
 * lost parts are striped there too.
 */

/** What a mask texel says of its part. */
export const PART = { awaited: 0, here: 255, lost: 128 };

/**
 * What a shader may take for granted. `whole`: nothing that the view touches is awaited or lost. `thin`, of the plane
 * shader alone: besides, the cut is thin, and no pixel is drawn that lies outside the series. `layer`: besides, it is
 * one of the recorded slices.
 */
export const KIND = {
  partial: "", whole: "#define WHOLE\n", thin: "#define WHOLE\n#define THIN\n",
  layer: "#define WHOLE\n#define THIN\n#define LAYER\n",
};

/** @param {string} source @param {keyof KIND} kind @returns {string} The shader of that kind. */
export const ofKind = (source, kind) => source.replace("\n", `\n${KIND[kind]}`);

export const VERTEX = `#version 300 es
#ifdef THIN
uniform vec3 origin, right, down, fineScale;
// pixels
uniform vec2 viewSize;
// texture coordinates
out vec3 at;
#endif

// one triangle that covers the view
void main() {
  vec2 corner = vec2(gl_VertexID & 1, gl_VertexID >> 1) * 4.0 - 1.0;
  gl_Position = vec4(corner, 0.0, 1.0);
#ifdef THIN
  vec2 pixel = vec2(0.5 + 0.5 * corner.x, 0.5 - 0.5 * corner.y) * viewSize;
  at = (origin + right * pixel.x + down * pixel.y) * fineScale;
#endif
}`;

const layer = (name, sampler, lookUp) => `
uniform ${sampler} ${name}Texels;
uniform sampler2D ${name}Mask;
// level 0 voxels to texture coordinates
uniform vec3 ${name}Scale;
// level 0 voxels to parts: the axis; w the number of parts
uniform vec4 ${name}Part;
// half a texel, in parts
uniform float ${name}Reach;

// texture coordinates
vec4 ${name}At(vec3 at) {
${lookUp(`${name}Texels`, `${name}Part.w`)}
}

// the worse of the two parts that filtering touches: 0 awaited, 0.5 lost, 1 here
float ${name}State(vec3 p) {
  float at = dot(p, ${name}Part.xyz);
  float last = ${name}Part.w - 1.0;
  float a = texelFetch(${name}Mask, ivec2(clamp(floor(at - ${name}Reach), 0.0, last), 0), 0).r;
  float b = texelFetch(${name}Mask, ivec2(clamp(floor(at + ${name}Reach), 0.0, last), 0), 0).r;
  bool isLost = abs(a - 0.5) < 0.2 || abs(b - 0.5) < 0.2;
  return isLost ? 0.5 : min(a, b);
}`;

const head = (...texels) => `#version 300 es
precision highp float;
precision highp int;
precision highp sampler2D;
precision highp sampler2DArray;
// of the series in level 0 voxels
uniform vec3 size;
// the view's top left corner in window coordinates (y up)
uniform vec2 corner;
// texel * x + y = brightness
uniform vec2 shade;
uniform bool isColour;
out vec4 colour;
${layer("fine", ...texels)}
${layer("coarse", ...texels)}

// from the view's top left corner
vec2 pixel() {
  return vec2(gl_FragCoord.x - corner.x, corner.y - gl_FragCoord.y);
}

bool isInside(vec3 p) {
  return all(greaterThanEqual(p, vec3(0.0))) && all(lessThanEqual(p, size));
}

#ifdef WHOLE
// nothing that the view touches is awaited or lost
vec4 texelAt(vec3 p, out float state) {
  state = 1.0;
  return fineAt(p * fineScale);
}
#else
// from the finest level that is here; state as above
vec4 texelAt(vec3 p, out float state) {
  state = fineState(p);
  if (state > 0.75) return fineAt(p * fineScale);
  if (state > 0.25) return vec4(0.0);
  state = coarseState(p);
  return state > 0.75 ? coarseAt(p * coarseScale) : vec4(0.0);
}
#endif

vec3 shown(vec4 texel) {
  return isColour ? texel.rgb : vec3(clamp(texel.r * shade.x + shade.y, 0.0, 1.0));
}

vec3 stripes() {
  return mod(gl_FragCoord.x + gl_FragCoord.y, 28.0) < 14.0 ? vec3(0.34, 0.26, 0.12) : vec3(0.12, 0.10, 0.08);
}

vec3 painted(vec4 texel, float state) {
  return state > 0.75 ? shown(texel) : state > 0.25 ? stripes() : vec3(0.035);
}

struct Sum { vec4 texel; float count; bool isLost; bool isAwaited; };

// a sample outside the series adds nothing
void add(inout Sum sum, vec3 p, bool isMax) {
  if (!isInside(p)) return;
  float state;
  vec4 texel = texelAt(p, state);
  sum.isLost = sum.isLost || state > 0.25 && state < 0.75;
  sum.isAwaited = sum.isAwaited || state < 0.25;
  sum.texel = isMax && sum.count > 0.0 ? max(sum.texel, texel) : isMax ? texel : sum.texel + texel;
  sum.count += 1.0;
}

// black where nothing was met; one lost sample makes the pixel striped
vec3 result(Sum sum, bool isMax) {
  if (sum.count == 0.0) return vec3(0.0);
  return painted(isMax ? sum.texel : sum.texel / sum.count, sum.isLost ? 0.5 : sum.isAwaited ? 0.0 : 1.0);
}
`;

const PLANE = `
#ifdef THIN
in vec3 at;

void main() {
  colour = vec4(shown(fineAt(at)), 1.0);
}
#else
// level 0 voxels: the view's top left corner, a pixel right, a pixel down
uniform vec3 origin, right, down;
// from one sample of the slab to the next
uniform vec3 through;
// of the slab; 1 is a thin cut
uniform int samples;
// of the slab: the brightest, else the mean
uniform bool isMax;

void main() {
  vec3 p = origin + right * pixel().x + down * pixel().y - through * (float(samples) - 1.0) * 0.5;
  Sum sum = Sum(vec4(0.0), 0.0, false, false);
  for (int i = 0; i < samples; i += 1) add(sum, p + through * float(i), isMax);
  colour = vec4(result(sum, isMax), 1.0);
}
#endif`;

/**
 * Between two slices of a volume the shader weighs, not the sampler. Through a 3D texture a recorded slice would cost
 * as much as one in between, twice what it needs.
 */
const inVolume = (texels, slices) => `#ifdef LAYER
  return texture(${texels}, vec3(at.xy, floor(at.z * ${slices})));
#else
  float z = at.z * ${slices} - 0.5, low = floor(z);
  return mix(texture(${texels}, vec3(at.xy, low)), texture(${texels}, vec3(at.xy, low + 1.0)), z - low);
#endif`;
const inPicture = (texels) => `return texture(${texels}, at.xy);`;

/** For shaders through a volume: what is above, ready for a `void main()` that sets `colour`. */
export const VOLUME_HEAD = head("sampler2DArray", inVolume);
export const VOLUME_FRAGMENT = VOLUME_HEAD + PLANE;
export const PICTURE_FRAGMENT = head("sampler2D", inPicture) + PLANE;
