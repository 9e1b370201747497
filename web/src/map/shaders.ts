// The signs of the statuses, drawn by the graphics processor: the same shapes as everywhere in the page. Statuses are numbered as in `statuses`.

export const vertexShader = `#version 300 es
in vec4 a_place;
in vec2 a_look;
uniform mat4 u_matrix;   // from places relative to the eye to the screen
uniform vec4 u_eye;      // the eye, as a_place
uniform float u_radius;  // of a sign, in pixels
uniform float u_now;     // as the times in a_look
uniform int u_shown;     // a bit for each status
uniform int u_picked;    // the number of a spot, or -1
flat out int v_status;
flat out int v_picked;
flat out float v_glow;
flat out float v_room;
void main() {
  v_status = int(a_look.x + 0.5);
  v_picked = gl_VertexID == u_picked ? 1 : 0;
  bool shown = v_picked == 1 || ((u_shown >> v_status) & 1) == 1;
  v_glow = clamp(1.0 - (u_now - a_look.y) / 1.6, 0.0, 1.0);
  v_room = v_picked == 1 ? 2.3 : v_glow > 0.0 ? 2.6 : 1.4;
  float radius = v_picked == 1 ? max(u_radius, 5.0) : u_radius;
  vec2 place = (a_place.xy - u_eye.xy) + (a_place.zw - u_eye.zw);
  gl_Position = shown ? u_matrix * vec4(place, 0.0, 1.0) : vec4(2.0, 2.0, 2.0, 1.0);
  gl_PointSize = 2.0 * radius * v_room;
}`;

export const fragmentShader = `#version 300 es
precision highp float;
flat in int v_status;
flat in int v_picked;
flat in float v_glow;
flat in float v_room;
uniform float u_radius;
uniform float u_opacity;
uniform vec3 u_tones[6];
uniform vec3 u_plates[6];
uniform vec3 u_focus;
out vec4 color;

float box(vec2 p, vec2 size, float corner) {
  vec2 q = abs(p) - size + corner;
  return length(max(q, 0.0)) + min(max(q.x, q.y), 0.0) - corner;
}

// How far a point is outside of the sign, in radii.
float sign_(vec2 p, int status) {
  float from = length(p);
  if (u_radius < 4.0) return from - (status == 0 ? 1.1 : status == 3 ? 0.6 : 0.8); // no shape would be seen
  if (status == 0) return abs(from - 0.68) - 0.2;                                 // free: a ring
  if (status == 1) return (abs(p.x) + abs(p.y) - 0.98) * 0.707;                   // reserved: a diamond
  if (status == 2) return box(p, vec2(0.6, 0.86), 0.36);                          // occupied: a car
  if (status == 3) {                                                              // unknown: a dotted ring
    float part = 0.7854;
    float angle = mod(atan(p.y, p.x), part) - part * 0.5;
    return length(from * vec2(cos(angle), sin(angle)) - vec2(0.7, 0.0)) - 0.17;
  }
  if (status == 4) return max(p.y - 0.78, (abs(p.x) * 1.77 - (p.y + 0.9)) * 0.492); // out of service: a triangle
  return max(from - 0.9, -box(p, vec2(0.52, 0.16), 0.02));                        // closed: no entry
}

void over(vec3 tone, float distance, float strength) {
  float soft = 0.75 / max(u_radius, 1.0);
  float part = strength * (1.0 - smoothstep(-soft, soft, distance));
  color = vec4(tone * part, part) + color * (1.0 - part);
}

void main() {
  vec2 p = (gl_PointCoord * 2.0 - 1.0) * v_room;
  color = vec4(0.0);
  vec3 tone = u_tones[v_status];
  if (u_radius < 4.0 && v_glow <= 0.0 && v_picked == 0) { // thousands of small ones
    over(tone, sign_(p, v_status), u_opacity);
    return;
  }
  if (v_glow > 0.0) over(tone, abs(length(p) - (1.5 + 0.8 * (1.0 - v_glow))) - 0.16, v_glow);
  if (u_radius >= 4.0) over(u_plates[v_status], box(p, vec2(1.3), 0.4), 1.0);
  over(tone, sign_(p, v_status), 1.0);
  if (v_picked == 1) over(u_focus, abs(box(p, vec2(1.7), 0.6)) - 0.2, 1.0);
  color *= u_opacity;
}`;
