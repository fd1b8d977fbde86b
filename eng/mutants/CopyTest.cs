using Marl.Native.Rl;

namespace Marl.Native.Mutants;

/// <summary>Keeps the assembly with the mutants: Stryker restores the original one when it ends.</summary>
public sealed class CopyTest
{
    [Fact]
    public void TheAssemblyIsCopied()
    {
        // If no test reached any mutant, Stryker would take them all for reached.
        new ReinforceOptions().Validate();
        if (Environment.GetEnvironmentVariable("MARL_MUTANTS") is { Length: > 0 } folder)
        {
            File.Copy(Path.Combine(AppContext.BaseDirectory, "Marl.Native.dll"), Path.Combine(folder, "Marl.Native.dll"), overwrite: true);
        }
    }
}
