/**
 * The plane shader, in two forms: through a volume (sampler3D) and over a picture (sampler2D).
 *
 * A view shows the finest level it has. Where a part of it (a slice of the volume, a strip of the picture) isn't
 * here yet, the coarser level shows through; where a part is lost, stripes are drawn, never a guess.
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

const BODY = `#version 300 es
precision highp float;
precision highp int;
precision highp sampler2D;
precision highp sampler3D;
uniform vec3 origin, right, down;   // level 0 voxels: the view's top left corner, a pixel right, a pixel down
uniform vec3 size;                  // of the series in level 0 voxels
uniform vec2 corner;                // the view's top left corner in window coordinates (y up)
uniform vec2 shade;                 // texel * x + y = brightness
uniform bool isColour;
out vec4 colour;
${layer("fine")}
${layer("coarse")}

vec3 shown(vec4 texel) {
  return isColour ? texel.rgb : vec3(clamp(texel.r * shade.x + shade.y, 0.0, 1.0));
}

vec3 stripes() {
  return mod(gl_FragCoord.x + gl_FragCoord.y, 28.0) < 14.0 ? vec3(0.34, 0.26, 0.12) : vec3(0.12, 0.10, 0.08);
}

void main() {
  vec2 pixel = vec2(gl_FragCoord.x - corner.x, corner.y - gl_FragCoord.y);
  vec3 p = origin + right * pixel.x + down * pixel.y;
  colour = vec4(0.0, 0.0, 0.0, 1.0);
  if (any(lessThan(p, vec3(0.0))) || any(greaterThan(p, size))) return;
  float state = fineState(p);
  if (state > 0.75) colour.rgb = shown(texture(fineTexels, (p * fineScale).AT));
  else if (state > 0.25) colour.rgb = stripes();
  else {
    state = coarseState(p);
    if (state > 0.75) colour.rgb = shown(texture(coarseTexels, (p * coarseScale).AT));
    else if (state > 0.25) colour.rgb = stripes();
    else colour.rgb = vec3(0.035);
  }
}`;

export const VOLUME_FRAGMENT = BODY.replaceAll("TEXELS", "sampler3D").replaceAll(".AT", ".xyz");
export const PICTURE_FRAGMENT = BODY.replaceAll("TEXELS", "sampler2D").replaceAll(".AT", ".xy");
