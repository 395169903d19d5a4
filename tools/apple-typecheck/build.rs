//! Says to the source that it is type-checked only.

fn main() {
    println!("cargo::rustc-cfg=apple_typecheck");
}
