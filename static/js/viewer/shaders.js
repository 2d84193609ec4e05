/**
 * The plane shader, in two forms: through a volume (sampler3D) and over a picture (sampler2D).
 *
 * A view shows the finest level it has. Where a part of it (a slice of the volume, a strip of the picture) isn't
 * here yet, the coarser level shows through; where a part is lost, stripes are drawn, never a guess. A slab
 * looks through the volume along its normal: the brightest of its samples, or their mean.
 *
 * Other shaders through a volume (panorama, 3D) begin with VOLUME_HEAD and sum with `add` and `result`, so that
 * lost parts are striped there too.
 */

/** What a mask texel says of its part. */
export const PART = { awaited: 0, here: 255, lost: 128 };

export const VERTEX = `#version 300 es
void main() {                       // one triangle that covers the view
  gl_Position = vec4(vec2(gl_VertexID & 1, gl_VertexID >> 1) * 4.0 - 1.0, 0.0, 1.0);
}`;

const layer = (name) => `
uniform TEXELS ${name}Texels;
uniform sampler2D ${name}Mask;
uniform vec3 ${name}Scale;          // level 0 voxels to texture coordinates
uniform vec4 ${name}Part;           // level 0 voxels to parts: the axis; w the number of parts
uniform float ${name}Reach;         // half a texel, in parts

float ${name}State(vec3 p) {        // the worse of the two parts that filtering touches: 0 awaited, 0.5 lost, 1 here
  float at = dot(p, ${name}Part.xyz);
  float last = ${name}Part.w - 1.0;
  float a = texelFetch(${name}Mask, ivec2(clamp(floor(at - ${name}Reach), 0.0, last), 0), 0).r;
  float b = texelFetch(${name}Mask, ivec2(clamp(floor(at + ${name}Reach), 0.0, last), 0), 0).r;
  bool isLost = abs(a - 0.5) < 0.2 || abs(b - 0.5) < 0.2;
  return isLost ? 0.5 : min(a, b);
}`;

const HEAD = `#version 300 es
precision highp float;
precision highp int;
precision highp sampler2D;
precision highp sampler3D;
uniform vec3 size;                  // of the series in level 0 voxels
uniform vec2 corner;                // the view's top left corner in window coordinates (y up)
uniform vec2 shade;                 // texel * x + y = brightness
uniform bool isColour;
out vec4 colour;
${layer("fine")}
${layer("coarse")}

vec2 pixel() {                      // from the view's top left corner
  return vec2(gl_FragCoord.x - corner.x, corner.y - gl_FragCoord.y);
}

bool isInside(vec3 p) {
  return all(greaterThanEqual(p, vec3(0.0))) && all(lessThanEqual(p, size));
}

vec4 texelAt(vec3 p, out float state) {  // from the finest level that is here; state as above
  state = fineState(p);
  if (state > 0.75) return texture(fineTexels, (p * fineScale).AT);
  if (state > 0.25) return vec4(0.0);
  state = coarseState(p);
  return state > 0.75 ? texture(coarseTexels, (p * coarseScale).AT) : vec4(0.0);
}

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

void add(inout Sum sum, vec3 p, bool isMax) {  // a sample outside the series adds nothing
  if (!isInside(p)) return;
  float state;
  vec4 texel = texelAt(p, state);
  sum.isLost = sum.isLost || state > 0.25 && state < 0.75;
  sum.isAwaited = sum.isAwaited || state < 0.25;
  sum.texel = isMax && sum.count > 0.0 ? max(sum.texel, texel) : isMax ? texel : sum.texel + texel;
  sum.count += 1.0;
}

vec3 result(Sum sum, bool isMax) {  // black where nothing was met; one lost sample makes the pixel striped
  if (sum.count == 0.0) return vec3(0.0);
  return painted(isMax ? sum.texel : sum.texel / sum.count, sum.isLost ? 0.5 : sum.isAwaited ? 0.0 : 1.0);
}
`;

const PLANE = `
uniform vec3 origin, right, down;   // level 0 voxels: the view's top left corner, a pixel right, a pixel down
uniform vec3 through;               // from one sample of the slab to the next
uniform int samples;                // of the slab; 1 is a thin cut
uniform bool isMax;                 // of the slab: the brightest, else the mean

void main() {
  vec3 p = origin + right * pixel().x + down * pixel().y - through * (float(samples) - 1.0) * 0.5;
  Sum sum = Sum(vec4(0.0), 0.0, false, false);
  for (int i = 0; i < samples; i += 1) add(sum, p + through * float(i), isMax);
  colour = vec4(result(sum, isMax), 1.0);
}`;

/** For shaders through a volume: what is above, ready for a `void main()` that sets `colour`. */
export const VOLUME_HEAD = HEAD.replaceAll("TEXELS", "sampler3D").replaceAll(".AT", ".xyz");
export const VOLUME_FRAGMENT = VOLUME_HEAD + PLANE;
export const PICTURE_FRAGMENT = HEAD.replaceAll("TEXELS", "sampler2D").replaceAll(".AT", ".xy") + PLANE;
