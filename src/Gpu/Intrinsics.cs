using System.Reflection;
using ILGPU;
using ILGPU.Backends.OpenCL;
using ILGPU.Backends.PTX;
using ILGPU.Frontend;
using ILGPU.Frontend.Intrinsic;
using ILGPU.IR;
using ILGPU.IR.Intrinsics;

namespace Marl.Native.Gpu;

/// <summary>
/// Functions of one-float lanes that ILGPU 1.5.3 lacks: the fused multiply-add, and selections that treat NaN as C# does (ILGPU inverts comparisons without
/// regard to NaN). Checks of arguments, as in <see cref="Rng"/>, are left out. When a kernel is compiled, the methods of <see cref="F1"/> are replaced by these, which become one or two instructions. An emulated device
/// runs <see cref="F1"/> itself.
/// </summary>
internal static class Intrinsics
{
    /// <summary>ILGPU stores remappings per process, and not thread-safely.</summary>
    static Intrinsics()
    {
        Remap(typeof(MathF).GetMethod(nameof(MathF.FusedMultiplyAdd))!, nameof(Fma));
        Remap(typeof(F1).GetMethod(nameof(F1.IfGreater))!, nameof(IfGreater));
        Remap(typeof(F1).GetMethod(nameof(F1.IfEqual))!, nameof(IfEqual));
        Remap(typeof(ArgumentOutOfRangeException).GetMethod(nameof(ArgumentOutOfRangeException.ThrowIfNegativeOrZero))!.MakeGenericMethod(typeof(int)),
            nameof(Ignore));
        Remap(OfInterface(nameof(IFloatLane<F1>.Min)), nameof(Min));
        Remap(OfInterface(nameof(IFloatLane<F1>.Max)), nameof(Max));

        static void Remap(MethodInfo from, string to)
        {
            var target = Own(to);
            RemappedIntrinsics.AddRemapping(from, (ref InvocationContext call) => call.Method = target);
        }

        static MethodInfo OfInterface(string name)
        {
            var map = typeof(F1).GetInterfaceMap(typeof(IFloatLane<F1>));
            return map.TargetMethods[Array.FindIndex(map.InterfaceMethods, method => method.Name == name)];
        }
    }

    /// <summary>Registers the intrinsics with a context, before anything is compiled in it.</summary>
    public static void Register(Context context)
    {
        var manager = context.GetIntrinsicManager();
        foreach (var (intrinsic, ptx, openCL) in new[]
        {
            (nameof(Fma), nameof(PtxFma), nameof(OpenCLFma)), (nameof(Greater), nameof(PtxGreater), nameof(OpenCLGreater)),
            (nameof(Equal), nameof(PtxEqual), nameof(OpenCLEqual)),
        })
        {
            manager.RegisterMethod(Own(intrinsic), new PTXIntrinsic(typeof(Intrinsics), ptx, IntrinsicImplementationMode.GenerateCode));
            manager.RegisterMethod(Own(intrinsic), new CLIntrinsic(typeof(Intrinsics), openCL, IntrinsicImplementationMode.GenerateCode));
        }
        foreach (var (intrinsic, ptx) in new[] { (nameof(Tf32.Round), nameof(Tf32.PtxRound)), (nameof(Tf32.Multiply), nameof(Tf32.PtxMultiply)) })
        {
            manager.RegisterMethod(typeof(Tf32).GetMethod(intrinsic)!, new PTXIntrinsic(typeof(Tf32), ptx, IntrinsicImplementationMode.GenerateCode));
        }
    }

    private static MethodInfo Own(string name) => typeof(Intrinsics).GetMethod(name, BindingFlags.Static | BindingFlags.NonPublic)!;

    private static F1 IfGreater(F1 a, F1 b, F1 x, F1 y) => new(Greater(a.Value, b.Value, x.Value, y.Value));

    private static F1 IfEqual(F1 a, F1 b, F1 x, F1 y) => new(Equal(a.Value, b.Value, x.Value, y.Value));

    private static F1 Min(F1 a, F1 b) => new(Greater(b.Value, a.Value, a.Value, b.Value));

    private static F1 Max(F1 a, F1 b) => new(Greater(a.Value, b.Value, a.Value, b.Value));

    /// <summary>A kernel cannot throw.</summary>
    private static void Ignore(int value, string? name)
    {
    }

    // The bodies never run: kernels get the instructions below.

    [IntrinsicImplementation]
    private static float Fma(float a, float b, float c) => MathF.FusedMultiplyAdd(a, b, c);

    /// <summary>a &gt; b ? x : y</summary>
    [IntrinsicImplementation]
    private static float Greater(float a, float b, float x, float y) => a > b ? x : y;

    /// <summary>a == b ? x : y</summary>
    [IntrinsicImplementation]
    private static float Equal(float a, float b, float x, float y) => a == b ? x : y;

    // ---- CUDA ----

    private static void PtxFma(PTXBackend backend, PTXCodeGenerator generator, Value call)
    {
        var (a, b, c) = (generator.LoadPrimitive(call[0]), generator.LoadPrimitive(call[1]), generator.LoadPrimitive(call[2]));
        var result = generator.AllocateHardware(call);
        using var fma = generator.BeginCommand("fma.rn.f32");
        fma.AppendArgument(result);
        fma.AppendArgument(a);
        fma.AppendArgument(b);
        fma.AppendArgument(c);
    }

    private static void PtxGreater(PTXBackend backend, PTXCodeGenerator generator, Value call) => PtxChoice(generator, call, "setp.gt.f32");

    private static void PtxEqual(PTXBackend backend, PTXCodeGenerator generator, Value call) => PtxChoice(generator, call, "setp.eq.f32");

    private static void PtxChoice(PTXCodeGenerator generator, Value call, string comparison)
    {
        var (a, b) = (generator.LoadPrimitive(call[0]), generator.LoadPrimitive(call[1]));
        var (x, y) = (generator.LoadPrimitive(call[2]), generator.LoadPrimitive(call[3]));
        var result = generator.AllocateHardware(call);
        var holds = generator.AllocateRegister(BasicValueType.Int1, PTXRegisterKind.Predicate);
        using (var compare = generator.BeginCommand(comparison))
        {
            compare.AppendArgument(holds);
            compare.AppendArgument(a);
            compare.AppendArgument(b);
        }
        using (var select = generator.BeginCommand("selp.f32"))
        {
            select.AppendArgument(result);
            select.AppendArgument(x);
            select.AppendArgument(y);
            select.AppendArgument(holds);
        }
        generator.FreeRegister(holds);
    }

    // ---- OpenCL ----

    private static void OpenCLFma(CLBackend backend, CLCodeGenerator generator, Value call)
    {
        var (a, b, c) = (generator.Load(call[0]), generator.Load(call[1]), generator.Load(call[2]));
        using var statement = generator.BeginStatement(generator.Allocate(call));
        statement.AppendCommand("fma");
        statement.BeginArguments();
        statement.AppendArgument(a);
        statement.AppendArgument(b);
        statement.AppendArgument(c);
        statement.EndArguments();
    }

    private static void OpenCLGreater(CLBackend backend, CLCodeGenerator generator, Value call) => OpenCLChoice(generator, call, ">");

    private static void OpenCLEqual(CLBackend backend, CLCodeGenerator generator, Value call) => OpenCLChoice(generator, call, "==");

    private static void OpenCLChoice(CLCodeGenerator generator, Value call, string comparison)
    {
        var (a, b, x, y) = (generator.Load(call[0]), generator.Load(call[1]), generator.Load(call[2]), generator.Load(call[3]));
        using var statement = generator.BeginStatement(generator.Allocate(call));
        statement.AppendArgument(a);
        statement.AppendCommand(comparison);
        statement.AppendArgument(b);
        statement.AppendCommand("?");
        statement.AppendArgument(x);
        statement.AppendCommand(":");
        statement.AppendArgument(y);
    }
}
