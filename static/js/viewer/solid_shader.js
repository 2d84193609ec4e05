/**
 * The ray march of the 3D view: parallel rays through the volume, each step adding what it meets until the ray is
 * used up. A lost slice shows its stripes where a ray meets it.
 */
import { VOLUME_HEAD } from "./shaders.js";

/** Of a ray: below this share of light left, what follows isn't seen. The CPU twin has the same number. */
export const USED_UP = 0.02;

export const SOLID_FRAGMENT = `${VOLUME_HEAD}
// level 0 voxels: the near end of the first ray, a pixel right, a pixel down
uniform vec3 origin, right, down;
// a step along a ray
uniform vec3 ahead;
// of a ray through the whole volume
uniform int steps;
// texel * x + y = how much of the light a step takes, 0 to 1
uniform vec2 ramp;
// mm a voxel; where the rays go, as a unit vector in mm
uniform vec3 spacing, forward;
uniform vec3 tint, behind;

float valueAt(vec3 p, out float state) {
  return texelAt(clamp(p, vec3(0.0), size), state).r;
}

float valueAt(vec3 p) {
  float state;
  return valueAt(p, state);
}

// a lamp at the eye: surfaces turned to it are bright
float lightAt(vec3 p) {
  vec3 slope = vec3(
    valueAt(p + vec3(1.0, 0.0, 0.0)) - valueAt(p - vec3(1.0, 0.0, 0.0)),
    valueAt(p + vec3(0.0, 1.0, 0.0)) - valueAt(p - vec3(0.0, 1.0, 0.0)),
    valueAt(p + vec3(0.0, 0.0, 1.0)) - valueAt(p - vec3(0.0, 0.0, 1.0))) / spacing;
  float steep = length(slope);
  return 0.2 + 0.8 * (steep > 0.0 ? abs(dot(slope, forward)) / steep : 1.0);
}

void main() {
  vec3 p0 = origin + right * pixel().x + down * pixel().y;
  vec3 way = mix(ahead, vec3(1e-6), lessThan(abs(ahead), vec3(1e-6)));
  vec3 a = -p0 / way, b = (size - p0) / way;
  vec3 near = min(a, b), far = max(a, b);
  int first = int(ceil(max(max(near.x, near.y), max(near.z, 0.0))));
  int last = int(floor(min(min(far.x, far.y), min(far.z, float(steps)))));
  vec3 sum = vec3(0.0);
  float left = 1.0;
  for (int i = first; i <= last && left > ${USED_UP}; i += 1) {
    vec3 p = p0 + ahead * float(i);
    float state;
    float takes = clamp(valueAt(p, state) * ramp.x + ramp.y, 0.0, 1.0);
    if (state < 0.25) continue;
    bool isLost = state < 0.75;
    if (isLost) takes = 1.0;
    if (takes == 0.0) continue;
    sum += left * takes * (isLost ? stripes() : tint * lightAt(p));
    left *= 1.0 - takes;
  }
  colour = vec4(sum + (left > ${USED_UP} ? left : 0.0) * behind, 1.0);
}`;
