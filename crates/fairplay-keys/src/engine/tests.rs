//! The engine against a platform that counts its answers, a scripted server, and stores that fail.

mod acquiring;
mod answering;
mod releasing;
mod renewing;
mod world;
